"""The job queue: one interface, embedded in this process or shared through Procrastinate."""
