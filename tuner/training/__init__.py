"""One training: the epoch loop, checkpoints, early stopping."""
