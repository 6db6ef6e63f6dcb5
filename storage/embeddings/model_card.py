"""Model card of the local model: what names it, its vectors and the files made from it."""

MODEL = "all-MiniLM-L6-v2"
DIMENSION = 384
MAX_TOKENS = 256
"""Longer texts are cut, as the model was trained."""
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
REVISION = 1
"""Of the ONNX graph: counts up when `minilm.py` changes, so that what was cached of the old one is not used."""
