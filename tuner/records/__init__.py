"""Frozen value types that the stages pass to one another; they import nothing but the standard library."""
