"""A run's model as a file for a phone, a web service or a colleague, checked before it is kept."""
