"""Checks of image files of more than 8 bits: what becomes black and white, and whether it fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tuner.data.decoding.file_facts import FileFacts
from tuner.data.decoding.streaming import StreamedImages
from tuner.data.decoding.value_range import ValueRange, range_words
from tuner.doctor.examined_data import ExaminedData
from tuner.doctor.findings import Finding, Severity

# Values may pass a range by this share of it: enlarging an image overshoots.
_OVERSHOOT = 0.05
# Of the files that need a range: from here on it is the range that does not fit, not the images.
_MANY = 0.5


def value_range(data: ExaminedData) -> Iterator[Finding]:
    """How values of more than 8 bits are brought to 8, and where half of that is left unused."""
    found, deep = data.images.value_range, _deep(data)
    if found is None or not deep:
        return
    n_others = len(data.images.files) - len(deep)
    others = " Files of 8 bits keep their values." if n_others else ""
    yield _finding(
        data,
        {index: f"{facts.lowest:g} to {facts.highest:g}" for index, facts in deep.items()},
        code="value-range",
        severity="info",
        what=f"hold more than 8 bits: {range_words(found)} becomes 0 to 255",
        meaning=f"The whole data set uses one range, and `predict` uses it too.{others}",
        advice="if another range is correct, set value_range under image in the card.",
    )
    half = (found[0] + found[1]) / 2
    dark = {
        i: f"at most {f.highest:g}"
        for i, f in deep.items()
        if f.highest is not None and f.highest <= half
    }
    if len(dark) >= _MANY * len(deep):
        yield _finding(
            data,
            dark,
            code="half-range",
            severity="warning",
            what=f"use less than half of the range {range_words(found)}",
            meaning="They are dark, and few of the 256 grey values remain to show differences.",
            advice=(
                "save all files at one depth; or set value_range under image in the card, such as"
                " [0, 4095] for scans of 12 bits."
            ),
        )
    beyond = {i: f"{f.lowest:g} to {f.highest:g}" for i, f in deep.items() if _is_beyond(f, found)}
    if beyond:
        yield _finding(
            data,
            beyond,
            code="beyond-range",
            severity="warning",
            what=f"hold values outside {range_words(found)}, which are cut off",
            meaning="Details brighter than white or darker than black are lost.",
            advice="set a wider value_range under image in the card.",
        )


def wide_colours(data: ExaminedData) -> Iterator[Finding]:
    """Colour files of 16 bits a channel, of which the upper 8 bits are read."""
    images = data.images
    wide = {i: f.mode for i, f in enumerate(images.files) if f.bits > 8 and f.highest is None}
    if not wide:
        return
    is_dark = (
        not isinstance(images.images, StreamedImages)
        and _brightest(images.images, list(wide)) < 128
    )
    dark = (
        " None of them uses more than half of that range, so few of the 256 levels remain."
        if is_dark
        else ""
    )
    yield _finding(
        data,
        wide,
        code="wide-colours",
        severity="warning" if is_dark else "info",
        what=(
            "hold 16 bits of each channel, of which the upper 8 are read: 0 to 65,535 becomes 0"
            " to 255"
        ),
        meaning=(
            f"If the values fill the 16 bits, only differences too fine for 8 bits are lost.{dark}"
        ),
        advice=(
            "save scans of fewer bits as 8-bit images, all by the same factor."
            if is_dark
            else "nothing."
        ),
    )


def _deep(data: ExaminedData) -> dict[int, FileFacts]:
    return {i: facts for i, facts in enumerate(data.images.files) if facts.highest is not None}


def _is_beyond(facts: FileFacts, found: ValueRange) -> bool:
    slack = _OVERSHOOT * (found[1] - found[0])
    lowest, highest = facts.lowest or 0.0, facts.highest or 0.0
    return lowest < found[0] - slack or highest > found[1] + slack


def _brightest(images: np.ndarray, rows: list[int]) -> int:
    return max(int(images[row].max()) for row in rows)


def _finding(
    data: ExaminedData,
    notes: Mapping[int, str],
    *,
    code: str,
    severity: Severity,
    what: str,
    meaning: str,
    advice: str,
) -> Finding:
    n, n_all = len(notes), len(data.images.files)
    return Finding(
        code=code,
        severity=severity,
        summary=f"{n:,} of {n_all:,} files {what}.",
        meaning=meaning,
        advice=advice,
        counts={"files": n, "all": n_all},
        examples=tuple((data.example(index, note),) for index, note in notes.items()),
        n_examples=n,
    )
