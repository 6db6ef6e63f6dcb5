"""A desk whose processes, database, vectors and chat model fail at random, and what must hold all the same."""
