"""Settings that a short run leaves room for: not many times as expensive as a usual one.

At equal epochs one network of twenty times the work costs as much as twenty usual settings. What a
network computes is counted, not timed, so that the same settings are drawn wherever a run goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tuner.models import cnn_size
from tuner.models.registry import complete
from tuner.records.image import ImageSpec
from tuner.retrain.contenders import BASELINE

# Twice the filters everywhere are four times the work.
MOST_TIMES = 4

# Begins the origin of the settings with which `start_from: [defaults]` begins a search.
DEFAULTS = "defaults"

# In every such reason, those in the logs of earlier versions included.
_EXPENSE = "million multiply-adds an image, more than"


def most_multiply_adds(
    starts: Iterable[tuple[str, str, Mapping[str, Any]]], image_spec: ImageSpec
) -> int | None:
    """Multiply-adds of one image that a setting may take.

    The usual setting is the one with the defaults of the space, else the baseline. None where the
    search begins with neither in the CNN family: nothing tells what is usual.

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
        f"it takes {n / 1e6:,.1f} {_EXPENSE} {most / 1e6:,.1f} million, {MOST_TIMES} times those of"
        " the usual setting"
    )


def is_expense(reason: str) -> bool:
    """Whether a setting was left out for its expense alone."""
    return _EXPENSE in reason
