"""split.csv: the part and class of each image of a run, read back."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from tuner.names import text_of_cell
from tuner.records.error_text import reason_of
from tuner.store.files.reading import DamagedFileError, read_whole

# Of ten million images.
_MOST_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRow:
    """An image of a run.

    Attributes:
        image: The file or row that it comes from.
        label: Its class, by name.
        part: `train`, `validation`, `fold 1` or `test`; empty if it is in none.
    """

    image: str
    label: str
    part: str


def read_split(run: Path, hint: str) -> list[SplitRow]:
    """Read split.csv.

    Args:
        run: The run's folder.
        hint: How to mend it.

    Raises:
        DamagedFileError: If it is not what a run has written.
    """
    path = run / "split.csv"
    try:
        text = read_whole(path, _MOST_BYTES).decode("utf-8-sig")
        rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        return [
            SplitRow(
                image=text_of_cell(row["image"]), label=text_of_cell(row["class"]), part=row["part"]
            )
            for row in rows
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise DamagedFileError(
            f"{path}: cannot be read as the run's split ({reason_of(error)})", hint
        ) from error
