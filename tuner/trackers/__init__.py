"""Runs in TensorBoard, MLflow, Weights & Biases and Optuna: one interface, one module each."""
