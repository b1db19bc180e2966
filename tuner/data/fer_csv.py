"""FER-style CSV: a label, blank-separated grey values, and perhaps the part (`Usage`) in each row."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner.data.card import Card, FerCsv
from tuner.data.images import Allocate, Images, make_images
from tuner.data.labels import number_labels
from tuner.data.pixels import parse_pixels
from tuner.errors import DataError


def sources(card: Card, data_root: Path) -> list[Path]:
    """The files that the images are read from."""
    assert isinstance(card.files, FerCsv)
    return [data_root / card.files.path]


def read(card: Card, data_root: Path, allocate: Allocate) -> Images:
    """Parse the file; rows are named by their line in it, the header being line 1.

    Raises:
        DataError: For the first row that cannot be used, or a missing column.
    """
    files = card.files
    assert isinstance(files, FerCsv)
    path = data_root / files.path
    roles = card.splits.roles()
    group = card.splits.group
    pixels = allocate(_most_rows(path, card))
    labels: list[str] = []
    parts: list[str] = []
    groups: list[str] = []
    lines: list[int] = []
    with csv_rows(path) as (header, rows):
        label_at, pixels_at = (_column(header, name, path) for name in (files.label_column, files.pixels_column))
        usage_at = header.index(files.usage_column) if files.usage_column in header else None
        group_at = None if group is None else _column(header, group, path)
        for line, row in rows:
            where = f"{path.name}, line {line}"
            if len(row) != len(header):
                raise DataError(
                    f"{where}: it has {len(row)} columns; expected {len(header)}", "correct the row, or delete it."
                )
            parse_pixels(row[pixels_at], separator=" ", out=pixels[len(lines)], where=where)
            labels.append(row[label_at])
            parts.append("" if usage_at is None else _role(row[usage_at], roles, where))
            groups.append("" if group_at is None else row[group_at])
            lines.append(line)
    translated = number_labels(card, labels, [f"{path.name}, line {line}" for line in lines])
    return make_images(
        name=card.name,
        images=pixels[: len(lines)],
        labels=translated.numbers,
        parts=parts,
        origins=[f"line {line}" for line in lines],
        class_names=translated.names,
        groups=groups,
    )


def _most_rows(path: Path, card: Card) -> int:
    """More rows than the file can hold: each value takes a digit and a separator at the least."""
    try:
        n_bytes = path.stat().st_size
    except OSError:
        n_bytes = 0  # What that means is for `csv_rows` to say.
    return n_bytes // (2 * math.prod(card.image.shape)) + 1


@contextmanager
def csv_rows(path: Path) -> Iterator[tuple[list[str], Iterator[tuple[int, list[str]]]]]:
    """The header of a CSV, and its rows with the line that each ends on; blank lines are passed over.

    Raises:
        DataError: If the file cannot be read, is not UTF-8 CSV, or is empty.
    """
    # The module refuses fields over 131,072 letters: a grey image of 256 x 256 is longer.
    previous = csv.field_size_limit(sys.maxsize if sys.maxsize < 2**31 else 2**31 - 1)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            if not header:
                raise DataError(f"{path.name}: the file is empty", "download it again.")
            yield header, ((reader.line_num, row) for row in reader if row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not CSV text in UTF-8"
        raise DataError(f"{path.name}: cannot be read: {reason}", "check the file, or download it again.") from error
    finally:
        csv.field_size_limit(previous)


def _column(header: list[str], name: str, path: Path) -> int:
    if name not in header:
        shown = ", ".join(header[:5])
        raise DataError(
            f'{path.name}: there is no column "{name}"; found {shown}', "the first line must name the columns."
        )
    return header.index(name)


def _role(usage: str, roles: dict[str, str], where: str) -> str:
    role = roles.get(usage.strip())
    if role is None:
        raise DataError(
            f'{where}: Usage is "{usage}"; expected {", ".join(roles) or "no such column"}',
            "correct the row, or name this part under splits in the card.",
        )
    return role
