"""Networks that have learnt from ImageNet, by name.

What each is, its weights, and classifiers made of it.
"""
