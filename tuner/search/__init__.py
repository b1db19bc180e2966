"""The search: Keras Tuner's oracle driven by our own loop."""
