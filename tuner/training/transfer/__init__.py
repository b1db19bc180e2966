"""Transfer learning: features of frozen networks, and the stages of a training."""
