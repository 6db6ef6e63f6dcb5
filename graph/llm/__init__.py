"""The chat model: one OpenAI-compatible endpoint behind a protocol, with structured output and retries."""
