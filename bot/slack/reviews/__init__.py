"""Review cards in Slack: how they look, how they are posted and updated, and the decisions taken on them."""
