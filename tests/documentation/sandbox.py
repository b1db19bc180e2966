"""A working directory in which the command lines of the docs do their work on tiny data."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.calling import Outcome, call, write_photos
from tests.documentation.command_lines import words
from tests.documentation.fences import blocks
from tests.documentation.texts import read

# Files of the working directory go before those of the package: these spaces make every network
# small and every training one epoch.
SPACE = """\
version: 1
model: cnn
space:
  conv_blocks: 1
  filters: [4, 8]
  learning_rate: 1e-2
  optimizer: adam
  batch_norm: false
  pooling: global_average
  dense_units: 0
  batch_size: 16
search: {method: random, max_epochs: 1, max_trials: 1}
objectives: [val_accuracy, latency_ms]
compare: []
retrain: {epochs: 1, seeds: 1}
"""
SPACES = ("default", "digits", "drawn_faces")
# Drawing all faces takes seconds.
N_FACES, FEWER = "n: 3000", "n: 600"
# A word of a documented line, what stands for it here, and why.
SUBSTITUTES = {
    "RUN": ("my_photos", "stands for any run"),
    "DATASET": ("./my_photos", "stands for any data"),
    "OTHER": ("./photos", "stands for any data of the same classes"),
    "IMAGE": ("new.jpg", "stands for any image"),
    "FOLDER": ("new_photos", "stands for any folder"),
    "exported": ("exported_once", "docs/production.md has a folder of that name"),
    "10": ("3", "each fold is a training"),
    "latency_ms<=5": ("latency_ms<=5000", "a busy machine may be slow"),
}
# What is added to a command, and why: a worker process takes seconds to start; a search is one
# trial; what follows the search is the same after each, and `WHOLE` has it. Runs that are not whole
# go to a folder of their own, so that `latest` is a whole run.
SHORT = ("--executor", "inline", "--max-trials", "1", "--max-epochs", "1", "--limit", "60")
ADDED = {"run": SHORT, "plan": SHORT}
ELSEWHERE = ("--search-only", "--out", "elsewhere")
# Executed first, as other lines need what they leave behind; the last run is `latest`.
WHOLE = (
    "run digits --preset quick",
    "run ./photos --model tuned_net:build",
    "run ./my_photos",
    "labels latest --folds 10 --out wrong_labels.csv",
)


def own_models() -> dict[str, str]:
    """The modules and spaces of docs/own_models.md by their names, which are in the first line."""
    page = read("docs/own_models.md")
    found = (re.fullmatch(r"# (\S+)\n(.*)", one.text, re.DOTALL) for one in blocks(page))
    return {match[1]: match[0] for match in found if match}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """The working directory, and what the lines have written so far.

    Attributes:
        place: The directory.
        done: Each executed line without its comment, with its outcome.
    """

    place: Path
    done: dict[str, Outcome] = field(default_factory=dict)

    def execute(self, line: str, before: str = "") -> Outcome:
        """Execute what follows `python -m tuner`, once; `before` is what is in front of a pipe."""
        key = " ".join(words(line))
        if key not in self.done:
            given = subprocess.check_output(before or "true", shell=True, cwd=self.place)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
                self.done[key] = call(*self.arguments(line), cwd=self.place)
        return self.done[key]

    def arguments(self, line: str) -> list[str]:
        """The words of a line, with what stands for them and what is added."""
        given = [SUBSTITUTES.get(word, (word,))[0] for word in words(line)]
        added = [*ADDED.get(given[0], ())]
        if given[0] == "run" and " ".join(words(line)) not in WHOLE:
            added += ELSEWHERE
        return [*given, *added]


def make_sandbox(place: Path) -> Sandbox:
    """Write the data that the docs name, and execute the lines that others build on."""
    photos = write_photos(place / "new_photos", ("cat", "dog"), n=12, size=16)
    shutil.copytree(photos / "cat", place / "new" / "deep")
    shutil.make_archive(str(place / "my_photos"), "zip", photos)
    for name in ("my_photos", "photos"):
        write_parts(place / name)
    for name in ("new.jpg", "photo.jpg", "one.jpg", "two.png", "new/deep/a.jpg"):
        shutil.copy(photos / "cat" / "00.png", place / name)
    (place / "list.csv").write_text("path\nnew.jpg\n")
    (place / "datasets").mkdir()
    faces = read("datasets/drawn_faces.yaml")
    assert N_FACES in faces
    (place / "datasets" / "drawn_faces.yaml").write_text(faces.replace(N_FACES, FEWER))
    (place / "search_spaces").mkdir()
    for name in SPACES:
        (place / "search_spaces" / f"{name}.yaml").write_text(SPACE)
    for name, text in own_models().items():
        (place / name).write_text(text)
    sandbox = Sandbox(place=place)
    for line in WHOLE:
        outcome = sandbox.execute(line)
        assert outcome.code == 0, f"{line}\n{outcome.err}"
    return sandbox


def write_parts(root: Path) -> None:
    """Write photos with given parts: without folds, each network is trained once."""
    drawn = write_photos(root / "train", ("cat", "dog"), n=24, size=16)
    for path in sorted(drawn.rglob("*.png")):
        part = {0: "train", 1: "train", 2: "validation", 3: "test"}[int(path.stem) % 4]
        target = root / part / path.parent.name
        target.mkdir(parents=True, exist_ok=True)
        path.rename(target / path.name)
