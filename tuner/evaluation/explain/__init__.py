"""Test images worth a look, and what in them a network reacts to: saliency and activation maps."""
