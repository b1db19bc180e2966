"""Tables that hold an image in each row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.data.decoding.value_range import ValueRange
from tuner.data.described import Described
from tuner.data.images import Allocate, Images, make_images
from tuner.data.labels import is_label, number_labels
from tuner.data.left_out import LeftOut, left_out
from tuner.data.splits.split_rules import MaybeRole
from tuner.data.tables.pixel_text import FractionError, parse_pixels, range_of_texts
from tuner.data.tables.row_places import Column, Locate, Places, role_in
from tuner.data.tables.table import csv_rows, n_letters
from tuner.data.tables.table_parts import (
    TablePart,
    TablePlace,
    other_files,
    other_tables,
    table_parts,
)
from tuner.errors import DataError
from tuner.names import printable

_Rows = Iterator[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowForm:
    """How the rows of a format are read.

    Attributes:
        locate: Finds what stands where in a table.
        label: The column of labels; a table without it is left out.
        has_header: Whether the first line names the columns.
        channels_first: Whether the channels of an image follow each other.
    """

    locate: Locate
    label: Column
    has_header: bool = True
    channels_first: bool = False


@dataclass(slots=True)
class _Found:
    """What has been read so far, row by row."""

    labels: list[str] = field(default_factory=list)
    parts: list[MaybeRole] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    unused: dict[str, None] = field(default_factory=dict)


def read_rows(card: Described, place: TablePlace, allocate: Allocate, form: RowForm) -> Images:
    """Parse the tables; rows are named by their line, the header being line 1.

    Rows without a label are left out. Where any value is a fraction, all are read by one scale.

    Raises:
        DataError: For the first row that cannot be used, or a missing column.
    """
    tables = table_parts(place)
    most = sum(n_letters(table.path) for table in tables) // (2 * math.prod(card.image.shape))
    pixels = allocate(most + len(tables))
    stated = card.image.value_range
    value_range = None if stated is None else (stated[0], stated[1])
    try:
        found = _parsed(card, tables, form, pixels, value_range)
    except FractionError:
        value_range = range_of_texts(
            _texts(tables, form), math.prod(card.image.shape), tables[0].path.name
        )
        found = _parsed(card, tables, form, pixels, value_range)
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
        left_out=_left_out(place, form, found),
        value_range=None if value_range == (0.0, 255.0) else value_range,
    )


def _parsed(
    card: Described,
    tables: list[TablePart],
    form: RowForm,
    pixels: NDArray[np.uint8],
    value_range: ValueRange | None,
) -> _Found:
    found = _Found()
    roles = card.splits.roles()
    planes = _planes(card) if form.channels_first else None
    for table in tables:
        prefix = f"{printable(table.name)}, " if len(tables) > 1 else ""
        with _located(table.path, form) as (places, rows):
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


def _texts(tables: list[TablePart], form: RowForm) -> Iterator[tuple[str, str]]:
    """All images as text, each with what separates its values."""
    for table in tables:
        with _located(table.path, form) as (places, rows):
            for _, row in rows:
                yield places.text(row), places.separator


@contextmanager
def _located(path: Path, form: RowForm) -> Iterator[tuple[Places, _Rows]]:
    """Places, and the rows, each as wide as the header."""
    with csv_rows(path) as (header, rows):
        first = next(rows, None)
        places = form.locate(path, header, first[1] if first else [])
        begin = ([] if form.has_header else [(1, header)]) + ([first] if first else [])
        yield places, _as_wide(chain(begin, rows), len(header), path)


def _as_wide(rows: Iterator[tuple[int, list[str]]], width: int, path: Path) -> _Rows:
    for line, row in rows:
        if len(row) != width:
            raise DataError(
                f"{path.name}, line {line}: it has {len(row)} columns; expected {width}",
                "correct the row, or delete it.",
            )
        yield line, row


def _planes(card: Described) -> NDArray[np.uint8]:
    """Room for an image whose channels follow each other."""
    height, width, channels = card.image.shape
    return np.empty((channels, height, width), dtype=np.uint8)


def _left_out(place: TablePlace, form: RowForm, found: _Found) -> tuple[LeftOut, ...]:
    return (
        *left_out("without a label", found.unlabelled, "row"),
        *left_out("neither label, part nor pixels", list(found.unused), "column"),
        *other_tables(place, str(form.label)),
        *other_files(place),
    )
