"""Model families, baselines and EfficientNetB2, by name."""
