"""Networks that have learnt from ImageNet, by name: what each is, its weights, and classifiers made of it."""
