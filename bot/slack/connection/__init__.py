"""How Slack reaches the desk: Socket Mode, HTTP routes and the OAuth installation."""
