"""Search spaces: strict YAML files of hyperparameters, parsed once into frozen records."""
