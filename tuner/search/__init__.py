"""The search: a method, a board of trials and new settings, driven by a loop of our own."""
