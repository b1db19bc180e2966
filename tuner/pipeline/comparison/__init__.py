"""The models that a run compares: who they are, their retraining, their scores."""
