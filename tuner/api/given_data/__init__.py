"""Data that a program has in memory: written once, named by what they are, then read as a file."""
