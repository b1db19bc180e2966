"""wrong_labels.csv: images whose labels are in doubt, for people to correct, and read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner.names import spreadsheet_cell
from tuner.store.files.whole_files import write_text

# What is read back; the others are for people.
IMAGE, GIVEN, LABEL = "image", "given", "label"
_PROBABILITY = "p "


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulLabel:
    """One image whose label is in doubt.

    Attributes:
        image: The file or row that it comes from.
        part: `train` for what trains or validates, or `test`.
        given: The label that the data give.
        label: Its label now: the given one, or what an earlier list has made of it.
        suggested: The class that speaks most against it.
        margin: Probability of the label less that of the most probable other class; the lower, the
            more doubtful.
        probabilities: Out of sample, one per class.
    """

    image: str
    part: str
    given: str
    label: str
    suggested: str
    margin: float
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierCorrection:
    """A label that an earlier list has corrected, and that is in no doubt now.

    Attributes:
        image: The file or row that it comes from.
        part: As of `DoubtfulLabel`; `unused` for what neither trains, validates nor tests.
        given: The label that the data give.
        label: The corrected one.
    """

    image: str
    part: str
    given: str
    label: str


def write_label_table(
    rows: Iterable[DoubtfulLabel],
    class_names: Sequence[str],
    path: Path,
    earlier: Iterable[EarlierCorrection] = (),
) -> None:
    """Write the table; its column `label` holds the labels of now, which are there to be corrected.

    Args:
        rows: The most doubtful first.
        class_names: In the order of the probabilities.
        path: The file.
        earlier: Corrections that stay; they stand at the end, without rank.

    Raises:
        OSError: If it cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    header = ["rank", IMAGE, "part", GIVEN, "suggested", LABEL, "margin"]
    header += [f"{_PROBABILITY}{name}" for name in class_names]
    writer.writerow(map(spreadsheet_cell, header))
    for rank, row in enumerate(rows, 1):
        cells = [rank, row.image, row.part, row.given, row.suggested, row.label]
        cells += [f"{row.margin:.4f}", *(f"{share:.4f}" for share in row.probabilities)]
        writer.writerow(map(spreadsheet_cell, cells))
    for one in earlier:
        unknown = [""] * (1 + len(class_names))
        cells = ["", one.image, one.part, one.given, "", one.label, *unknown]
        writer.writerow(map(spreadsheet_cell, cells))
    write_text(path, text.getvalue())
