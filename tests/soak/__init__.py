"""Runs that are killed at random moments; `make soak` runs all of them, CI a sample."""
