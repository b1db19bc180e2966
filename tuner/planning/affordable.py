"""Settings that a short run leaves room for: not many times as expensive as a usual one.

At equal epochs one network of twenty times the work costs as much as twenty usual settings. What a
network computes is counted, not timed, so that the same settings are drawn wherever a run goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tuner.models import cnn_size
from tuner.models.registry import complete
from tuner.records.image import ImageSpec
from tuner.records.trial import StartSetting
from tuner.retrain.contenders import BASELINE
from tuner.space.definition import SearchSpaceFile
from tuner.space.families import built
from tuner.space.methods import METHODS
from tuner.space.sampling import sample

# Twice the filters everywhere are four times the work.
MOST_TIMES = 4

# Begins the origin of the settings with which `start_from: [defaults]` begins a search.
DEFAULTS = "defaults"

_SUFFIX = f"{MOST_TIMES} times what the defaults take"

# Of a space with fewer settings that are affordable, most draws would be made in vain.
_LEAST_SHARE, _N_DRAWN = 0.25, 64


def limited(
    file: SearchSpaceFile, starts: Iterable[StartSetting], image_spec: ImageSpec, seed: int
) -> SearchSpaceFile:
    """The space with a limit for what is drawn; without one where hardly anything would keep it.

    A grid names its settings, and is searched as a whole.

    Args:
        file: The space.
        starts: What the search begins with, which needs not keep the limit.
        image_spec: Of the images.
        seed: Of the draws that tell whether enough would keep it.
    """
    begun_with = [(one.origin, *built(file, one.values, one.model)) for one in starts]
    most = most_multiply_adds(begun_with, image_spec)
    if most is None or METHODS[file.search.method].needs_finite_ranges:
        return file
    rng = np.random.default_rng(seed)
    drawn = [built(file, sample(file.space, rng)) for _ in range(_N_DRAWN)]
    kept = [setting for setting in drawn if expense(*setting, image_spec, most) is None]
    if not _LEAST_SHARE <= len(kept) / _N_DRAWN < 1:
        return file
    return replace(file, search=replace(file.search, most_multiply_adds=most))


def most_multiply_adds(
    starts: Iterable[tuple[str, str, Mapping[str, Any]]], image_spec: ImageSpec
) -> int | None:
    """Multiply-adds of one image that a setting may take.

    The usual setting is the one with the defaults of the space, or the baseline where that is the
    same. None where the search begins with neither in the CNN family: nothing tells what is usual.

    Args:
        starts: What the search begins with: origin, model and hyperparameters.
        image_spec: Of the images.
    """
    of_family = [(origin, values) for origin, model, values in starts if model == "cnn"]
    defaults = [values for origin, values in of_family if origin.startswith(DEFAULTS)]
    usual = defaults or [values for origin, values in of_family if origin == BASELINE]
    if not usual:
        return None
    counts = [cnn_size.multiply_adds(complete("cnn", values), image_spec) for values in usual]
    return MOST_TIMES * min(counts)


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
        f"it takes {n / 1e6:,.1f} million multiply-adds an image, more than"
        f" {most / 1e6:,.1f} million: {_SUFFIX}"
    )


def is_expense(reason: str) -> bool:
    """Whether a setting was left out for its expense alone."""
    return reason.endswith(_SUFFIX)
