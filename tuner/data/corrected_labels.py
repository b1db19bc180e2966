"""Labels that you have corrected, laid over those that the data give."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.data.images import Images
from tuner.data.splits.split import Split
from tuner.data.tables.table import csv_rows
from tuner.errors import DataError, MissingDataError
from tuner.names import printable, text_of_cell
from tuner.store.files.nearest_path import did_you_mean_path
from tuner.store.label_table import GIVEN, IMAGE, LABEL


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedLabel:
    """One label that a list has changed.

    Attributes:
        row: Number of the image.
        given: Name of the class that the data give.
        label: Name of the class that the list gives.
    """

    row: int
    given: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """What a list of corrected labels has changed.

    Attributes:
        n: Images that have another label than the data give.
        n_test: Those of them that test.
        fingerprint: Of the data as they are given.
        labels: What was changed, in the order of the images.
    """

    n: int
    n_test: int
    fingerprint: str
    labels: tuple[CorrectedLabel, ...] = ()

    def without(self, rows: Collection[int]) -> Corrections:
        """The same without the labels of some images."""
        kept = tuple(one for one in self.labels if one.row not in rows)
        return replace(self, labels=kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    line: int
    image: str
    given: str | None
    label: str


def corrected(images: Images, split: Split, path: Path) -> tuple[Images, Corrections]:
    """Lay the labels of a list over those of the data; the split stays as it is.

    Args:
        images: The data as they are given.
        split: How they are split, by their given labels.
        path: A table with the columns `image` and `label`; where it has a column `given`, that must
            be the label that the data give.

    Returns:
        The images with their new labels, and a fingerprint of their own where any has changed; and
        what was changed.

    Raises:
        DataError: If the list is missing, cannot be read, does not belong to the data, names a
            class that they do not have, or leaves a class without training images.
    """
    labels = images.labels.copy()
    places = _places(images.origins)
    numbers = {name: number for number, name in enumerate(images.class_names)}
    named_by: dict[int, int] = {}
    for row in _rows(path):
        at = _place(row, places, path)
        if at in named_by:
            raise DataError(
                f"{path}:{row.line}: {row.image} is named in line {named_by[at]} too",
                "keep one of the two lines.",
            )
        named_by[at] = row.line
        now = images.class_names[images.labels[at]]
        if row.given is not None and row.given != now:
            raise DataError(
                f'{path}:{row.line}: {row.image} was labelled "{row.given}" when the list was'
                f' written, but the data label it "{now}"',
                "the data have changed since: delete the line, or write a new list with `python -m"
                " tuner labels RUN`.",
            )
        labels[at] = _number(row, numbers, path)
    changed = np.flatnonzero(labels != images.labels)
    _check_training(images, labels, split, path)
    found = Corrections(
        n=len(changed),
        n_test=int(np.isin(changed, split.test).sum()),
        fingerprint=images.fingerprint,
        labels=tuple(
            CorrectedLabel(
                row=row,
                given=images.class_names[images.labels[row]],
                label=images.class_names[labels[row]],
            )
            for row in changed.tolist()
        ),
    )
    if not found.n:
        return images, found
    fingerprint = sha256(images.fingerprint.encode() + labels.astype("<i8").tobytes()).hexdigest()
    return replace(images, labels=labels, fingerprint=fingerprint), found


def _rows(path: Path) -> list[_Row]:
    if not path.is_file():
        raise MissingDataError(
            f"{path}: there is no such list of labels",
            f"{did_you_mean_path(path)}`python -m tuner labels RUN` writes one.",
        )
    with csv_rows(path) as (header, rows):
        names = [text_of_cell(name).casefold() for name in header]
        for name in (IMAGE, LABEL):
            if names.count(name) != 1:
                shown = ", ".join(map(printable, header))
                raise DataError(
                    f"{path}: expected one column {name}, found {shown}",
                    "name the columns in the first line: image,label.",
                )
        at_image, at_label = names.index(IMAGE), names.index(LABEL)
        at_given = names.index(GIVEN) if GIVEN in names else None
        found = []
        for line, row in rows:
            cells = [text_of_cell(cell) for cell in row] + [""] * (len(header) - len(row))
            given = None if at_given is None else cells[at_given]
            found.append(_Row(line=line, image=cells[at_image], given=given, label=cells[at_label]))
    return found


def _places(origins: Sequence[str]) -> Mapping[str, int]:
    """The image of each name, -1 for a name that several have."""
    places: dict[str, int] = {}
    for at, origin in enumerate(origins):
        places[origin] = -1 if origin in places else at
    return places


def _place(row: _Row, places: Mapping[str, int], path: Path) -> int:
    at = places.get(row.image)
    if at is None:
        close = get_close_matches(row.image, places, n=1, cutoff=0.8) if len(places) < 5000 else []
        raise DataError(
            f'{path}:{row.line}: the data have no image "{printable(row.image)}"',
            f"{f'did you mean {close[0]}? ' if close else ''}write the names as split.csv of a run"
            " does, or delete the line.",
        )
    if at < 0:
        raise DataError(
            f'{path}:{row.line}: several images of the data are called "{printable(row.image)}"',
            "give them names of their own, or correct their labels in the data.",
        )
    return at


def _number(row: _Row, numbers: Mapping[str, int], path: Path) -> int:
    # Spreadsheets write TRUE and 1.0 for themselves; a class must be named as the data name it.
    label = row.label if row.label in numbers else row.label.strip()
    if label in numbers:
        return numbers[label]
    close = get_close_matches(label, numbers, n=1)
    known = ", ".join(list(numbers)[:8]) + (", ..." if len(numbers) > 8 else "")
    what = f'no class is called "{printable(label)}"' if label else "the label is empty"
    meant = f'did you mean "{close[0]}"? ' if close else ""
    raise DataError(
        f"{path}:{row.line}: {what}",
        f"{meant}the classes are {known}; to leave an image as it is, write its given label.",
    )


def _check_training(images: Images, labels: NDArray[np.int64], split: Split, path: Path) -> None:
    """Make sure that no class has lost all of its training images."""
    for fold in split.folds:
        lost = np.setdiff1d(images.labels[fold.train], labels[fold.train])
        if len(lost):
            raise DataError(
                f'{path}: class "{images.class_names[lost[0]]}" has no training image left',
                "leave at least one image of it, or search without this class.",
            )
