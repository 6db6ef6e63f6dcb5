"""Accounts: workspaces, members, customers and their logins."""
