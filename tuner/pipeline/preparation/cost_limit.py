"""What a drawn network may compute where a preset skips large ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np

from tuner.models import cnn_size
from tuner.models.registry import complete
from tuner.pipeline.preparation.start_settings import usual_values
from tuner.planning.affordable import MOST_TIMES, expense
from tuner.records.image import ImageSpec
from tuner.space.definition import SearchSpaceFile
from tuner.space.families import Built, built, each_family
from tuner.space.methods import METHODS
from tuner.space.sampling import sample
from tuner.training.refusals import refusal

# Of a space with fewer networks within the limit, most draws would be made in vain.
_LEAST_SHARE = 0.25
# Networks that tell the share, and draws in which they are looked for.
_N_JUDGED = 64
_N_DRAWS = 640


def with_cost_limit(file: SearchSpaceFile, image_spec: ImageSpec, seed: int) -> SearchSpaceFile:
    """The space with a limit of multiply-adds: `MOST_TIMES` those of its usual CNN.

    The same space where it has no CNN, where too few of its networks are within the limit, and for
    a grid, whose settings you have named.

    Args:
        file: The space.
        image_spec: Of the images.
        seed: Of the draws that tell how many are within the limit.
    """
    most = _most_multiply_adds(file, image_spec)
    if most is None or METHODS[file.search.method].needs_finite_ranges:
        return file
    judged = list(islice(_drawn_cnns(file, image_spec, seed), _N_JUDGED))
    n_within = sum(expense(*setting, image_spec, most) is None for setting in judged)
    if n_within < _LEAST_SHARE * len(judged) or not judged:
        return file
    return replace(file, search=replace(file.search, most_multiply_adds=most))


def _most_multiply_adds(file: SearchSpaceFile, image_spec: ImageSpec) -> int | None:
    """The limit; None where nothing is drawn in the CNN family."""
    usual = [
        usual_values(family)
        for family in each_family(file)
        if family.model == "cnn" and family.space.parameters
    ]
    counts = [
        cnn_size.multiply_adds(complete("cnn", values), image_spec)
        for values in usual
        if refusal("cnn", values, image_spec, file.constraints) is None
    ]
    return MOST_TIMES * min(counts) if counts else None


def _drawn_cnns(file: SearchSpaceFile, image_spec: ImageSpec, seed: int) -> Iterator[Built]:
    """Settings of the CNN family that can be built and keep the constraints, drawn evenly."""
    rng = np.random.default_rng(seed)
    for _ in range(_N_DRAWS):
        model, values = built(file, sample(file.space, rng))
        if model == "cnn" and refusal(model, values, image_spec, file.constraints) is None:
            yield model, values
