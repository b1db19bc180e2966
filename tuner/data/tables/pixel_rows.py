"""Tables that hold an image in each row."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.data.cards.card import Card, Column, FerCsv, PixelColumns
from tuner.data.decoding.value_range import ValueRange, range_of
from tuner.data.images import Allocate, Images, make_images, printable
from tuner.data.labels import is_label, number_labels
from tuner.data.left_out import LeftOut, left_out
from tuner.data.tables.pixel_text import LARGEST_VALUE, FractionError, extremes_of, parse_pixels
from tuner.data.tables.table import csv_rows, n_letters
from tuner.data.tables.table_parts import TablePart, other_files, other_tables, table_parts
from tuner.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a row of a table holds what.

    Attributes:
        label: Index of the label.
        usage: Index of the part's name; None where there is none.
        group: The same of what images are not parted from.
        text: The values of an image, from its row.
        separator: What stands between them.
        unused: Names of the columns that are not read.
    """

    label: int
    usage: int | None
    group: int | None
    text: Callable[[list[str]], str]
    separator: str
    unused: tuple[str, ...] = ()


# Finds the places in a table, by its first row and the one that follows it.
Locate = Callable[[Card, Path, list[str], list[str]], Places]
_Rows = Iterator[tuple[int, list[str]]]


@dataclass(slots=True)
class _Found:
    """What has been read so far, row by row."""

    labels: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    unused: dict[str, None] = field(default_factory=dict)


def read_rows(card: Card, data_root: Path, allocate: Allocate, locate: Locate) -> Images:
    """Parse the tables; rows are named by their line, the header being line 1.

    Rows without a label are left out. Where any value is a fraction, all are read by one scale.

    Raises:
        DataError: For the first row that cannot be used, or a missing column.
    """
    tables = table_parts(card, data_root)
    most = sum(n_letters(table.path) for table in tables) // (2 * math.prod(card.image.shape))
    pixels = allocate(most + len(tables))
    stated = card.image.value_range
    value_range = None if stated is None else (stated[0], stated[1])
    try:
        found = _parsed(card, tables, locate, pixels, value_range)
    except FractionError:
        lowest, highest = _extremes(card, tables, locate)
        if max(-lowest, highest) > LARGEST_VALUE:
            raise DataError(
                f"{tables[0].path.name}: the values reach from {lowest:g} to {highest:g}; expected"
                " pixels",
                "correct them, or save whole numbers from 0 to 255.",
            ) from None
        value_range = range_of(lowest, highest, is_float=True)
        found = _parsed(card, tables, locate, pixels, value_range)
    if not found.labels and found.unlabelled:
        raise DataError(
            f"{tables[0].path.name}: none of its {len(found.unlabelled):,} rows has a label",
            "give the table that has labels.",
        )
    translated = number_labels(card, found.labels, found.places)
    return make_images(
        name=card.name,
        images=pixels[: len(found.labels)],
        labels=translated.numbers,
        parts=found.parts,
        origins=found.origins,
        class_names=translated.names,
        groups=found.groups,
        left_out=_left_out(card, data_root, found),
        value_range=None if value_range == (0.0, 255.0) else value_range,
    )


def _parsed(
    card: Card,
    tables: list[TablePart],
    locate: Locate,
    pixels: NDArray[np.uint8],
    value_range: ValueRange | None,
) -> _Found:
    found = _Found()
    roles = card.splits.roles()
    planes = _planes(card)
    for table in tables:
        prefix = f"{printable(table.name)}, " if len(tables) > 1 else ""
        with _located(card, table.path, locate) as (places, rows):
            found.unused |= dict.fromkeys(places.unused)
            for line, row in rows:
                if not is_label(row[places.label]):
                    found.unlabelled.append(f"{prefix}line {line}")
                    continue
                where = f"{table.path.name}, line {line}"
                out = pixels[len(found.labels)]
                parse_pixels(
                    places.text(row),
                    separator=places.separator,
                    out=out if planes is None else planes,
                    where=where,
                    value_range=value_range,
                )
                if planes is not None:
                    out[:] = planes.transpose(1, 2, 0)
                found.labels.append(row[places.label])
                usage = None if table.role else places.usage
                found.parts.append(
                    table.role if usage is None else role_in(row[usage], roles, where)
                )
                found.groups.append("" if places.group is None else row[places.group])
                found.origins.append(f"{prefix}line {line}")
                found.places.append(where)
    return found


def _extremes(card: Card, tables: list[TablePart], locate: Locate) -> tuple[float, float]:
    """The smallest and the largest value of all tables."""
    size = math.prod(card.image.shape)
    lowest, highest = math.inf, -math.inf
    for table in tables:
        with _located(card, table.path, locate) as (places, rows):
            for _, row in rows:
                low, high = extremes_of(places.text(row), places.separator, size)
                lowest, highest = min(lowest, low), max(highest, high)
    return lowest, highest


@contextmanager
def _located(card: Card, path: Path, locate: Locate) -> Iterator[tuple[Places, _Rows]]:
    """Places, and the rows, each as wide as the header."""
    with csv_rows(path) as (header, rows):
        first = next(rows, None)
        places = locate(card, path, header, first[1] if first else [])
        has_header = not isinstance(card.files, PixelColumns) or card.files.header
        begin = ([] if has_header else [(1, header)]) + ([first] if first else [])
        yield places, _as_wide(chain(begin, rows), len(header), path)


def _as_wide(rows: Iterator[tuple[int, list[str]]], width: int, path: Path) -> _Rows:
    for line, row in rows:
        if len(row) != width:
            raise DataError(
                f"{path.name}, line {line}: it has {len(row)} columns; expected {width}",
                "correct the row, or delete it.",
            )
        yield line, row


def _planes(card: Card) -> NDArray[np.uint8] | None:
    """Room for an image whose channels follow each other."""
    if not isinstance(card.files, PixelColumns) or not card.files.channels_first:
        return None
    height, width, channels = card.image.shape
    return np.empty((channels, height, width), dtype=np.uint8)


def _left_out(card: Card, data_root: Path, found: _Found) -> tuple[LeftOut, ...]:
    files = card.files
    assert isinstance(files, FerCsv | PixelColumns)
    return (
        *left_out("without a label", found.unlabelled, "row"),
        *left_out("neither label, part nor pixels", list(found.unused), "column"),
        *other_tables(card, data_root, str(files.label_column)),
        *other_files(card, data_root),
    )


def column_at(header: list[str], column: Column, path: Path) -> int:
    """Index of a column by its name, whatever its case; or by its position.

    Raises:
        DataError: If there is none.
    """
    if isinstance(column, int):
        if -len(header) <= column < len(header):
            return column % len(header)
    elif column in header:
        return header.index(column)
    else:
        alike = [at for at, name in enumerate(header) if name.casefold() == column.casefold()]
        if len(alike) == 1:
            return alike[0]
    shown = ", ".join(header[:5])
    raise DataError(
        f'{path.name}: there is no column "{column}"; found {shown}',
        "the first line must name the columns.",
    )


def role_in(usage: str, roles: dict[str, str], where: str) -> str:
    """The role of a row's part, by its name in any case.

    Raises:
        DataError: If it is none of the card's.
    """
    name = usage.strip()
    role = roles.get(name)
    if role is None:
        folded = {known.casefold(): role for known, role in roles.items()}
        role = folded.get(name.casefold())
    if role is None:
        raise DataError(
            f'{where}: the part is "{usage}"; expected {", ".join(roles) or "no such column"}',
            "correct the row, or name this part under splits in the card.",
        )
    return role
