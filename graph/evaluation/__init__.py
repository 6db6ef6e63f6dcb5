"""Offline evaluation of retrieval and confidence on labelled questions."""
