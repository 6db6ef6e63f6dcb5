"""The command line: one file a command group, and what a process of the desk is made of (`process.py`)."""
