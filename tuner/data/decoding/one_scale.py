"""All image files of a data set, decoded by one range of values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tuner.data.decoding.decode import decode_or_measure
from tuner.data.decoding.file_facts import FileFacts
from tuner.data.decoding.image_settings import ImageSettings
from tuner.data.decoding.value_range import ValueRange, range_of

T = TypeVar("T")


def decode_all(
    paths: Sequence[str],
    settings: ImageSettings,
    keep: Callable[[int, NDArray[np.uint8]], None],
    in_parallel: Callable[[Callable[[int], FileFacts], int], list[FileFacts | T]],
) -> tuple[list[FileFacts | T], ImageSettings]:
    """Decode every file.

    Those of more than 8 bits are decoded a second time, once the range of all their values is
    known.

    A set of 8-bit files is read once, as before there were ranges.

    Args:
        paths: The files.
        settings: What images are turned into.
        keep: Takes the row of a file and its pixels (height, width, channels).
        in_parallel: Calls a function with each of the first n whole numbers; what it returns, or
            what stands for an `UnreadableImageError`.

    Returns:
        What came of each file, and the settings with the range, where there is one.
    """

    def first(row: int) -> FileFacts:
        pixels, facts = decode_or_measure(Path(paths[row]), settings)
        if pixels is not None:
            keep(row, pixels)
        return facts

    outcomes = in_parallel(first, len(paths))
    deep = [
        row
        for row, outcome in enumerate(outcomes)
        if isinstance(outcome, FileFacts) and outcome.highest is not None
    ]
    if not deep or settings.value_range is not None:
        return outcomes, settings
    found = range_of_files(outcome for outcome in outcomes if isinstance(outcome, FileFacts))
    whole = settings.model_copy(update={"value_range": list(found)})

    def second(number: int) -> FileFacts:
        pixels, facts = decode_or_measure(Path(paths[deep[number]]), whole)
        assert pixels is not None
        keep(deep[number], pixels)
        return facts

    for row, outcome in zip(deep, in_parallel(second, len(deep)), strict=True):
        outcomes[row] = outcome
    return outcomes, whole


def range_of_files(files: Iterable[FileFacts]) -> ValueRange:
    """The range of the files that need one; at least one does."""
    deep = [
        (facts.lowest, facts.highest, facts.mode) for facts in files if facts.highest is not None
    ]
    return range_of(
        min(lowest for lowest, _, _ in deep if lowest is not None),
        max(highest for _, highest, _ in deep if highest is not None),
        is_float=all(mode == "F" for _, _, mode in deep),
    )
