"""Scores of a trained model from its predicted probabilities; numpy and scikit-learn only."""
