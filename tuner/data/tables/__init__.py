"""CSV tables, which hold images or name their files."""
