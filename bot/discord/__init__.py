"""The Discord adapter: gateway events in, replies and review cards out, through discord.py."""
