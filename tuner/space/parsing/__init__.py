"""From a search space's document to a `Space`, or every mistake in it."""
