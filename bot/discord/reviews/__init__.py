"""Review cards in Discord: one card, keeping cards in step with the rows, and decisions taken on them."""
