"""YAML that people write: read strictly and within bounds, each mistake with its line."""
