"""A builder that a program has in memory, as the name of a module that any process can import."""
