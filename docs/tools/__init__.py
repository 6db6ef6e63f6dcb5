"""Programs that draw pages and pictures of the documentation; they test nothing."""
