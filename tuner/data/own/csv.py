"""A card for a CSV of pixels, such as FER2013's."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from tuner.data.card import Card, FerCsv, Splits
from tuner.data.labels import plain_label
from tuner.data.own.made_card import image_settings, made_card
from tuner.errors import DataError

_FER_CLASSES = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
_FER_SPLITS = Splits(train="Training", validation="PublicTest", test="PrivateTest")


def csv_card(path: Path) -> Card:
    """Make the card.

    Raises:
        DataError: If the columns, or the first row's pixels, cannot be understood.
    """
    from tuner.data.fer_csv import csv_rows

    with csv_rows(path) as (names, rows):
        by_name = {name.lower(): name for name in names}
        pixels, usage = by_name.get("pixels"), by_name.get("usage")
        others = [name for name in names if name not in (pixels, usage)]
        label = by_name.get("emotion") or by_name.get("label") or (others[0] if len(others) == 1 else None)
        if pixels is None or label is None:
            raise DataError(
                f"{path.name}: expected a column of labels and a column pixels; found {', '.join(names[:5])}",
                "name the columns in the first line, such as emotion,pixels,Usage.",
            )
        first = next(rows, (0, []))[1]
        classes = None
        if label.lower() == "emotion":
            at = names.index(label)
            classes = _fer_classes(row[at] for row in chain([first], (row for _, row in rows)) if at < len(row))
    n_pixels = len(first[names.index(pixels)].split()) if len(first) == len(names) else 0
    side = math.isqrt(n_pixels)
    if side < 4 or side * side != n_pixels:
        raise DataError(
            f"{path.name}, line 2: it has {n_pixels:,} pixels; expected a square number, such as 2,304 (48 x 48)",
            "correct the row; or write a card, which may state any height and width.",
        )
    return made_card(
        path,
        files=FerCsv(
            type="fer_csv",
            path=str(path.resolve()),
            label_column=label,
            pixels_column=pixels,
            usage_column=usage or "Usage",
        ),
        image=image_settings(side, side, 1, f"{path.name}, line 2"),
        class_names=classes,
        splits=_FER_SPLITS,
    )


def _fer_classes(labels: Iterable[str]) -> list[str] | dict[str, str]:
    """FER's classes as far as they occur; all of them where the loader will refuse a label, or the lack of classes."""
    found = {plain_label(label) for label in labels}
    known = {str(number): name for number, name in enumerate(_FER_CLASSES)}
    present = {label: name for label, name in known.items() if {label, name} & found}
    is_usable = found <= {*known, *_FER_CLASSES} and len(present) > 1
    return present if is_usable and len(present) < len(known) else _FER_CLASSES
