"""`deskhand db`: migrations, vectors, backup and restore."""
