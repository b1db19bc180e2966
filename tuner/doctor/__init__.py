"""The data doctor: what is wrong with a data set, and whether results on it would mean anything."""
