"""What a sealed recipe is used for: to train a model again, and to predict images."""
