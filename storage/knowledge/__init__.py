"""The knowledge base: documents, chunks, vectors and hybrid search."""
