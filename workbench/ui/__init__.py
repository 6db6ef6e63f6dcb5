"""What the tabs are built of: theme, HTML, event handlers, scripts."""
