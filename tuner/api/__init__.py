"""The Python API: `tuner.run`, `tuner.search`, `tuner.load`, `tuner.Space`."""
