"""Folders of images, loaded without a card."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.data.layouts import Layout, Read, write
from tuner.data.images import Images
from tuner.data.load import load_images
from tuner.data.own.resolve import resolve
from tuner.errors import DataError


def load(root: Path, name: str = "given") -> Images:
    return load_images(resolve(str(root / name), [], root / "data"), root / "data")


def told(images: Images) -> Read:
    return Read(
        classes=images.class_names,
        parts=dict(Counter(images.parts.tolist())),
        left_out={one.reason: one.n_files for one in images.left_out},
    )


def refusal(root: Path, layout: Layout) -> tuple[str, str]:
    write(root / "given", layout)
    with pytest.raises(DataError) as caught:
        load(root)
    assert caught.value.exit_code == 4
    return (
        caught.value.message.removeprefix(f"{root / 'given'}: ").removeprefix("given: "),
        caught.value.hint,
    )
