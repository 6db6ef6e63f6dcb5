"""What the chat model is told: templates as files, versioned by their content."""
