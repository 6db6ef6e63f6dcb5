"""What the chat channels keep: installations, places, identities, cards and read cursors."""
