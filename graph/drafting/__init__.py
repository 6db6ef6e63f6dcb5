"""Drafting: replies verbatim from the knowledge or written by a chat model, and rolling summaries."""
