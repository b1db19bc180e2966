"""Views of an image over which class probabilities are averaged: shifted, and mirrored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tuner.backend.active import policy
from tuner.data.decoding.streaming import StreamedImages, batches
from tuner.records.combination import View
from tuner.training.compiled import probabilities

# Of the image's side; facial features stay in place with so little.
_SHIFT = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSet:
    """Views that are averaged.

    Attributes:
        title: What notes call them.
        views: The image as it is comes first.
    """

    title: str
    views: tuple[View, ...]


def view_sets(height: int, width: int, *, may_mirror: bool) -> tuple[ViewSet, ...]:
    """The sets to choose from, each of which holds the one before.

    Args:
        height: Of the images, in pixels.
        width: The same.
        may_mirror: Whether a mirrored image is still of its class.
    """
    down, right = max(1, round(_SHIFT * height)), max(1, round(_SHIFT * width))
    shifts = (View(down=-down), View(down=down), View(right=-right), View(right=right))
    alone = ViewSet(title="the image alone", views=(View(),))
    if not may_mirror:
        return alone, ViewSet(title="with shifts", views=(View(), *shifts))
    both = (View(), View(is_mirrored=True))
    mirrored = (View(down=s.down, right=s.right, is_mirrored=True) for s in shifts)
    return (
        alone,
        ViewSet(title="with its mirror image", views=both),
        ViewSet(title="with shifts and their mirror images", views=(*both, *shifts, *mirrored)),
    )


def seen(images: np.ndarray, view: View) -> np.ndarray:
    """Images (n, height, width, channels) in a view; what lies outside is reflected."""
    rows, columns = places(images.shape[1], images.shape[2], view)
    return images[:, rows][:, :, columns]


def places(height: int, width: int, view: View) -> tuple[np.ndarray, np.ndarray]:
    """For each row and each column of a view, the one of the image that stands there.

    Args:
        height: Of the image, in pixels.
        width: The same.
        view: The view.
    """
    columns = _places(width, view.right)
    return _places(height, view.down), columns[::-1] if view.is_mirrored else columns


def averaged(
    function: Callable[[np.ndarray], np.ndarray],
    inputs: np.ndarray | StreamedImages,
    rows: np.ndarray,
    sets: Sequence[ViewSet],
) -> np.ndarray:
    """Mean class probabilities over the views of each set, (sets, n, classes).

    Each view is predicted once.

    Args:
        function: From images to what a model puts out, (n, units).
        inputs: Images (any number, height, width, channels).
        rows: Which of them, (n,).
        sets: What to average over.
    """
    views = dict.fromkeys(view for one in sets for view in one.views)
    parts = []
    for batch in batches(inputs, rows, policy().predict_batch):
        found = {view: probabilities(function(seen(batch, view))) for view in views}
        parts.append(
            np.stack([np.mean([found[view] for view in one.views], axis=0) for one in sets])
        )
    return np.concatenate(parts, axis=1)


def _places(side: int, shift: int) -> np.ndarray:
    """For each pixel along a side, the one that comes to stand there."""
    last = side - 1
    places: np.ndarray = last - np.abs(last - np.abs(np.arange(side) - shift))
    return places
