"""Frozen value types that the stages pass to one another; they import no framework."""
