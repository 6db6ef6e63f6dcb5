"""Each hole that a stranger once found, tried again as they would."""
