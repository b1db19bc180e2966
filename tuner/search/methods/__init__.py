"""Search methods, one module each; `tuner.space.methods` lists them by name."""
