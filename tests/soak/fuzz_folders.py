"""Gives hundreds of mixed folders to the reader of class folders; every file must be accounted for.

    python -m tests.soak.fuzz_folders [--cases 400] [--seed 0] [--only NUMBER]

A case is a folder of class folders, of parts, of both in either order, or of nothing but files,
with wrappers around it and anything between: files of the system, texts, broken images, links,
empty and hidden folders, odd names. It is read, or refused with a message and what to do. What is
read holds: files used, unreadable and left out are all files that are there; no class is a part;
each image's class is in its path; and a second load tells the same. Exits with 1 if anything goes
wrong. The same seed makes the same cases.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import traceback
import unicodedata
import warnings
from collections import Counter
from pathlib import Path

from tests.data.layouts import picture
from tuner.data.folders.class_order import one_form
from tuner.data.folders.file_names import class_of
from tuner.data.load import load_images
from tuner.data.own.image_size import in_size
from tuner.data.own.resolve import resolve
from tuner.errors import TunerError
from tuner.names import printable

_CLASSES = (
    "cat", "dog", "0", "1", "2", "10", "class_2", "class_10", "café", "naïve ünï 😀", "a b",
    "x" * 60, "happy", "sad", "Ünder", "$(x)", "\x1b[31mred", "(0-2)", "images", "steam_train",
    "contest", "evaluator", "positive", "negative",
)  # fmt: skip
_TRAINS = (
    "train",
    "Training",
    "train_set",
    "seg_train",
    "x_train",
    "TRAIN",
    "train (1)",
    "trainData",
    "train1",
)
_HELD = (
    "test",
    "val",
    "valid",
    "Testing",
    "test_set",
    "seg_test",
    "x_val",
    "holdout",
    "eval",
    "dev",
    "test1",
    "hold-out",
)
_UNKNOWN = ("fold1", "fold2", "raw", "clean", "mine", "part_a", "part_b")
_BESIDE = ("a.xml", "a.json", "notes.txt", "labels.csv", "README.md", "LICENSE", "Thumbs.db",
           ".DS_Store", "desktop.ini", "._a.png", "list.mat", "icon\r")  # fmt: skip
_HIDDEN = (".ipynb_checkpoints", "@eaDir", "__MACOSX", ".git")


class Case:
    """One folder."""

    def __init__(self, seed: str, root: Path) -> None:
        """Make it below a root."""
        self.rng = random.Random(seed)
        self.root = root
        self.given = root / "given"
        self.given.mkdir(parents=True)
        # Files behind links that are followed.
        self.n_linked = 0
        self.parts: set[str] = set()
        self._n_pictures = 0

    def make(self) -> str:
        """Write the files; what kind of layout it is."""
        rng, top = self.rng, self.given
        for _ in range(rng.choice((0, 0, 1, 2))):
            self._beside(top, 0.3)
            top /= rng.choice(("archive", "data", "images", "Pet Images", "dataset"))
            top.mkdir()
        kind = rng.choice(
            ("classes", "parts", "parts", "parts", "parts_in_classes", "names", "anything")
        )
        classes = rng.sample(_CLASSES, rng.choice((1, 2, 2, 3, 5)))
        if kind == "classes":
            self._classes(top, classes)
        elif kind == "parts":
            names = self._part_names()
            if rng.random() < 0.2:
                # Called like nothing, but alike.
                names, classes = rng.sample(_UNKNOWN, 2), rng.sample(_CLASSES, 3)
                self.parts.update(names)
                for path in (top / part / name for part in names for name in classes):
                    self._images(path, 1)
            for part in names:
                inner = top / part / part if rng.random() < 0.2 else top / part
                self._classes(inner, classes if rng.random() < 0.8 else rng.sample(_CLASSES, 2))
            if rng.random() < 0.2:
                self._images(top / rng.choice(("unlabeled", "single_prediction", "other")), 3)
        elif kind == "parts_in_classes":
            parts = self._part_names()
            for name in classes:
                self._classes(top / name, parts)
        elif kind == "names":
            self._named(top, rng.sample(_CLASSES, 6))
        else:
            self._anything(top, 0)
        return kind

    def n_files(self) -> int:
        """All files that are there, those behind links to folders elsewhere included."""
        return sum(len(names) for _, _, names in os.walk(self.given)) + self.n_linked

    def _part_names(self) -> list[str]:
        rng = self.rng
        names = [rng.choice(_TRAINS), *rng.sample(_HELD, rng.choice((0, 1, 1, 2, 3)))]
        self.parts.update(names)
        return names

    def _classes(self, folder: Path, classes: list[str]) -> None:
        for name in classes:
            form = self.rng.choice(("NFC", "NFC", "NFD"))
            written = unicodedata.normalize(form, name)
            if self.rng.random() < 0.05:
                written = written.upper()
            if self.rng.random() < 0.05:
                (folder / written).mkdir(parents=True, exist_ok=True)
                continue
            deep = folder / written / self.rng.choice(("", "", "", "more", "images"))
            self._images(deep, self.rng.randint(1, 3))
            self._link(deep)
        self._beside(folder, 0.4)

    def _images(self, folder: Path, n: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(n):
            self._write(folder / f"{i}{self.rng.choice(('.png', '.jpg', '.PNG', '', '.jpeg'))}")
        self._beside(folder, 0.4)

    def _named(self, folder: Path, classes: list[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name in (name for name in classes if not any(map(str.isdigit, name))):
            for i in range(self.rng.choice((1, 2, 3, 3))):
                self._write(folder / f"{name}.{i}.png")
        self._beside(folder, 0.4)

    def _anything(self, folder: Path, level: int) -> None:
        rng = self.rng
        folder.mkdir(parents=True, exist_ok=True)
        for _ in range(rng.randint(0, 3)):
            name = rng.choice((*_CLASSES, *_TRAINS, *_HELD, *_UNKNOWN))
            if rng.random() < 0.6 or level > 2:
                self._images(folder / name, rng.randint(0, 3))
            else:
                self._anything(folder / name, level + 1)
        self._beside(folder, 0.5)

    def _beside(self, folder: Path, chance: float) -> None:
        rng = self.rng
        folder.mkdir(parents=True, exist_ok=True)
        while rng.random() < chance:
            what = rng.random()
            if what < 0.6:
                (folder / rng.choice(_BESIDE)).write_bytes(b"some text")
            elif what < 0.75:
                (folder / rng.choice(("broken.png", "cut.jpg", "b.heic", "c.tif"))).write_bytes(
                    rng.choice(
                        (
                            b"",
                            b"no image",
                            picture(0)[:60],
                            b"\0\0\0\x18ftypheic" + bytes(9),
                            b"II*\0" + bytes(9),
                        )
                    )
                )
            elif what < 0.85:
                hidden = folder / rng.choice(_HIDDEN)
                hidden.mkdir(exist_ok=True)
                (hidden / "a.png").write_bytes(picture(1))
            elif what < 0.92:
                self._write(folder / f"stray{rng.randint(0, 9)}.png")
            else:
                (folder / f"empty{rng.randint(0, 9)}").mkdir(exist_ok=True)

    def _link(self, folder: Path) -> None:
        """Sometimes a link: to a file that is gone, in a circle, or to a folder elsewhere."""
        what, link = self.rng.random(), folder / f"link{self._n_pictures}"
        if what < 0.05:
            link.with_suffix(".png").symlink_to(self.root / "gone.png")
        elif what < 0.1:
            link.symlink_to(self.rng.choice((self.given, folder, self.root, Path("/"))))
        elif what < 0.2:
            elsewhere = self.root / f"elsewhere{self._n_pictures}"
            elsewhere.mkdir()
            for _ in range(2):
                self._write(elsewhere / f"{self._n_pictures}.png")
                self.n_linked += 1
            link.symlink_to(elsewhere)

    def _write(self, path: Path) -> None:
        self._n_pictures += 1
        path.write_bytes(picture(self._n_pictures))


def run(seed: str) -> tuple[str, str, str]:
    """Make a case and read it: its kind, how it ended, and what went wrong (empty if nothing)."""
    with tempfile.TemporaryDirectory() as root:
        case = Case(seed, Path(root))
        kind = case.make()
        try:
            said = _read(case)
        except TunerError as error:
            problem = (
                "" if error.message and error.hint else f"an error without a hint: {error.message}"
            )
            return kind, f"refused: {error.message.rpartition(': ')[2]}", problem
        except Exception:
            return kind, "crashed", traceback.format_exc()
        return kind, "read", said


def _read(case: Case) -> str:
    """Load a case; what is wrong with it."""
    data = case.root / "data"
    card = in_size(resolve(str(case.given), [], data))
    images, again = load_images(card, data), load_images(card, data)
    n_left_out = sum(one.n_files for one in images.left_out)
    found = len(images.labels) + len(images.unreadable) + n_left_out
    if found != case.n_files():
        return f"{found} files are accounted for, of {case.n_files()}: {images.left_out}"
    if images.left_out != again.left_out:
        return "the second load tells something else"
    if wrong := set(images.class_names) & case.parts:
        return f"classes made of parts: {wrong}"
    for label, origin in zip(images.labels, images.origins, strict=True):
        name, folders = images.class_names[label], one_form(origin).split("/")
        if name not in folders and name != printable(class_of(folders[-1])):
            return f"{origin} became {name}"
    return ""


def main() -> int:
    """Run the cases."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="number of the only case to run")
    options = parser.parse_args()
    warnings.simplefilter("error")
    ends: Counter[str] = Counter()
    n_wrong = 0
    numbers = range(options.cases) if options.only is None else [options.only]
    for number in numbers:
        kind, end, problem = run(f"{options.seed}-{number}")
        ends[end.partition(":")[0]] += 1
        if options.only is not None:
            print(kind, end)
        if problem:
            n_wrong += 1
            print(f"case {number} ({kind}): {problem}", flush=True)
    shown = ", ".join(f"{n} times {end}" for end, n in sorted(ends.items()))
    print(f"{shown}; {n_wrong} of {len(numbers)} went wrong")
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
