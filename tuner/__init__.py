"""Hyperparameter search for image classifiers, from a YAML search space to an HTML report."""

__version__ = "0.1.0"
