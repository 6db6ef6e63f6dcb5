"""Turns: beginning a run of the graph, completing it, and the reviews that wait in between."""
