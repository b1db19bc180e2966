"""A run's folder: the one place that reads and writes its files."""
