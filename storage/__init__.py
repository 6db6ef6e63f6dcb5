"""What Deskhand keeps: rows, vectors, jobs and settings."""
