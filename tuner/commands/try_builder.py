"""A builder of your own is tried out before a run has a folder."""

from __future__ import annotations

import numpy as np

from tuner.planning.corners import corners
from tuner.records.image import ImageSpec
from tuner.space.definition import SearchSpaceFile
from tuner.space.sampling import sample


def try_builder(file: SearchSpaceFile, spec: ImageSpec) -> list[str]:
    """Refuse a builder whose models cannot be searched, scored or loaded back; it takes seconds.

    Args:
        file: The space; its smallest setting is tried, and one that is drawn.
        spec: Shape and classes of the data set.

    Returns:
        What is worth knowing of it; one line each.

    Raises:
        ConfigurationError: With the reason, and how to mend it.
    """
    # It imports Keras.
    from tuner.training.dry_build import dry_build

    settings = [corners(file.space)[0], sample(file.space, np.random.default_rng(0))]
    return dry_build(file.model, settings, spec, file.objective.name)
