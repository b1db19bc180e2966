"""The command line called in this process, and tiny data for it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tuner.cli.main import _exit_code
from tuner.cli.terminal import output, signals

# Names that would steer a terminal or a page, and one that many file systems and shells stumble
# over.
HOSTILE_CLASSES = ("<b>loud<", "\x1b[31mred\x07", "naïve ünï 😀")

# Trains in a moment; four blocks are too many for 8 x 8 pixels, so some draws are rejected.
TINY_SPACE = """\
version: 1
model: cnn
space:
  conv_blocks: {type: int, min: 1, max: 6}
  filters: [4, 8]
  learning_rate: {type: float, min: 1e-3, max: 1e-1, sampling: log}
  optimizer: adam
  batch_norm: false
  pooling: global_average
  dense_units: 0
  batch_size: 16
search: {method: hyperband, max_epochs: 2, factor: 2}
compare: []
retrain: {epochs: 2, seeds: 2}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a call did.

    Attributes:
        code: The exit code.
        out: Written to stdout.
        err: Written for people.
    """

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """Stdout as JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def notes(self) -> list[str]:
        """Notes for people, a line each."""
        return [line.strip() for line in self.err.splitlines() if "note:" in line]


def call(*arguments: str | Path, cwd: Path) -> Outcome:
    """Call `python -m tuner` with arguments, in a working directory."""
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        _kept_descriptors(),
        contextlib.redirect_stdout(out),
    ):
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["tuner", *map(str, arguments)])
        patch.setattr(output, "ERRORS", err)
        patch.setattr(output, "RESULTS", out)
        patch.setattr(signals.REQUEST, "reason", None)
        code = _exit_code()
    return Outcome(code=code, out=out.getvalue(), err=err.getvalue())


@contextlib.contextmanager
def _kept_descriptors() -> Iterator[None]:
    """Restore the descriptors of stdout and stderr, which a command sends elsewhere."""
    saved = {number: os.dup(number) for number in (1, 2)}
    try:
        yield
    finally:
        for number, copy in saved.items():
            os.dup2(copy, number)
            os.close(copy)


def write_photos(
    root: Path, classes: Sequence[str] = HOSTILE_CLASSES, n: int = 25, size: int = 8
) -> Path:
    """Write noisy images, the brighter the later the class."""
    rng = np.random.default_rng(0)
    for number, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for i in range(n):
            pixels = rng.integers(0, 120, size=(size, size)) + 130 * number // max(
                1, len(classes) - 1
            )
            Image.fromarray(pixels.astype(np.uint8)).save(root / name / f"{i:02}.png")
    return root


CARD_OF_FOLDS = """\
version: 1
name: photos
title: Photos
description: Noise, the brighter the later the class.
source: the tests
licence: none
files: {type: class_folders, path: photos}
image: {height: 8, width: 8, channels: 1}
splits: {folds: 2}
"""


def write_folds(place: Path, classes: Sequence[str], n: int) -> Path:
    """Write a data set `photos` with its card: each image that trains validates once, in two folds.

    Without a card so few images are cut into five, with a model for each.
    """
    photos = write_photos(place / "datasets" / "data" / "photos", classes, n)
    (place / "datasets" / "photos.yaml").write_text(CARD_OF_FOLDS, encoding="utf-8")
    return photos


def write_space(folder: Path, old: str = "", new: str = "") -> Path:
    """Write the tiny space, with one text in place of another."""
    assert old in TINY_SPACE
    path = folder / "tiny.yaml"
    path.write_text(TINY_SPACE.replace(old, new) if old else TINY_SPACE, encoding="utf-8")
    return path
