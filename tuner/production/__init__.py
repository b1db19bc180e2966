"""What a sealed recipe is used for: data that fit it, a model trained by it, images predicted by it."""
