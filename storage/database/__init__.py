"""The relational database: engine, drivers, tables and migrations."""
