"""The next space from a finished run: what to widen, narrow and freeze, each with its evidence."""
