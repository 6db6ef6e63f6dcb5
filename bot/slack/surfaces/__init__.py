"""What Slack offers beside messages: App Home, the slash command and the assistant pane."""
