"""Models that combine predictions, each saved as one file of Keras' own layers."""
