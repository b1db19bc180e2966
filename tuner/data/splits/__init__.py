"""Which images train, validate and test, and which are copies of others."""
