"""The embedded queue: the jobs of one process, in memory and recovered from the rows."""
