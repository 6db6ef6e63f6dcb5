"""Review cards in Slack: one card, and keeping cards in step with the rows."""
