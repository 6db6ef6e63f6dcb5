"""The Slack adapter: events in, replies and review cards out, through slack_bolt and slack_sdk."""
