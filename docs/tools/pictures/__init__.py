"""Pictures of what people see in Slack and Discord, drawn from what the simulators really received."""
