"""The stages of a run: what it is asked for, its data and space, search, comparison and pages."""
