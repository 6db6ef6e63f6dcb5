"""The REST interface for members: one file per resource."""
