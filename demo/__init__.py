"""The demo workspace's knowledge: Plovermark, a fictional software company."""
