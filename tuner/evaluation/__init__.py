"""The sealed test set: opened here and nowhere else."""
