"""The commands that look after the desk, one file per concern; `deskhand.py` joins them."""
