"""Large networks, which short runs skip: many times as expensive as the usual one.

At equal epochs one network of twenty times the work costs as much as twenty usual ones. What a
network computes is counted, not timed, so that the same settings are drawn wherever a run goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from tuner.models import cnn_size
from tuner.models.registry import complete
from tuner.records.image import ImageSpec
from tuner.space.definition import SearchSpaceFile
from tuner.space.families import Built, built, each_family
from tuner.space.methods import METHODS
from tuner.space.priors import usual_values
from tuner.space.sampling import sample
from tuner.training.refusals import refusal

# Twice the filters everywhere are four times the work.
MOST_TIMES = 4

# In every such reason, those in the logs of earlier versions included.
_EXPENSE = "million multiply-adds an image, more than"

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
    most = most_multiply_adds(file, image_spec)
    if most is None or METHODS[file.search.method].needs_finite_ranges:
        return file
    judged = list(islice(_drawn_cnns(file, image_spec, seed), _N_JUDGED))
    n_within = sum(expense(*setting, image_spec, most) is None for setting in judged)
    if n_within < _LEAST_SHARE * len(judged) or not judged:
        return file
    return replace(file, search=replace(file.search, most_multiply_adds=most))


def most_multiply_adds(file: SearchSpaceFile, image_spec: ImageSpec) -> int | None:
    """Multiply-adds of an image that a drawn CNN may take; None where none is drawn."""
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


def problem_of(
    file: SearchSpaceFile, values: Mapping[str, Any], image_spec: ImageSpec
) -> str | None:
    """Why a drawn setting is not trained, in one line; None where it is."""
    model, whole = built(file, values)
    return refusal(model, whole, image_spec, file.constraints) or expense(
        model, whole, image_spec, file.search.most_multiply_adds
    )


def expense(
    model: str, values: Mapping[str, Any], image_spec: ImageSpec, most: int | None
) -> str | None:
    """Why a setting takes too long for a short run; None where it does not.

    Only the CNN family's settings differ so much.
    """
    if most is None or model != "cnn":
        return None
    n = cnn_size.multiply_adds(complete(model, values), image_spec)
    if n <= most:
        return None
    return (
        f"it takes {n / 1e6:,.1f} {_EXPENSE} {most / 1e6:,.1f} million, {MOST_TIMES} times those of"
        " the usual setting"
    )


def is_expense(reason: str) -> bool:
    """Whether a setting was left out for its expense alone."""
    return _EXPENSE in reason


def _drawn_cnns(file: SearchSpaceFile, image_spec: ImageSpec, seed: int) -> Iterator[Built]:
    """Settings of the CNN family that can be built and keep the constraints, drawn evenly."""
    rng = np.random.default_rng(seed)
    for _ in range(_N_DRAWS):
        model, values = built(file, sample(file.space, rng))
        if model == "cnn" and refusal(model, values, image_spec, file.constraints) is None:
            yield model, values
