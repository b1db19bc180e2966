"""Tables of pixels, loaded without a card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.data.samples import random_images
from tuner.data.images import Images
from tuner.data.load import load_images
from tuner.data.own.resolve import resolve
from tuner.errors import DataError

PIXELS = random_images(6)
LABELS = [0, 1] * 3


def load(path: Path) -> Images:
    return load_images(resolve(str(path), [], path.parent / "data"), path.parent / "data")


def refused(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        load(path)
    return caught.value


def left_out(images: Images) -> list[str]:
    return [one.text for one in images.left_out]


def fer_text(labels: Sequence[object] = LABELS, delimiter: str = ",", between: str = " ") -> str:
    rows = [between.join(map(str, image.ravel())) for image in PIXELS]
    lines = [f"{label}{delimiter}{row}" for label, row in zip(labels, rows, strict=True)]
    return "\n".join([f"kind{delimiter}pixels", *lines]) + "\n"


def wide_text(header: str, row: str = "{label},{pixels}", delimiter: str = ",") -> str:
    """One column per value; `row` says where the label is."""
    filled = [
        row.format(label=label, pixels=",".join(map(str, image.ravel())), i=i)
        for i, (label, image) in enumerate(zip(LABELS, PIXELS, strict=True))
    ]
    return "\n".join([header, *filled]).replace(",", delimiter) + "\n"


NUMBERED = ",".join(f"pixel{i}" for i in range(1, 17))
