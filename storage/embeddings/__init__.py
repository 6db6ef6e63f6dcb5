"""Text embeddings: local MiniLM on ONNX Runtime or an OpenAI-compatible endpoint."""
