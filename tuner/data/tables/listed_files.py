"""Tables that name image files and their labels; the files are decoded as in class folders."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import numpy as np

from tuner.data.cards.card import Card, FileList
from tuner.data.folders.class_files import ClassFile
from tuner.data.folders.class_images import Listing, read_files, stream_files
from tuner.data.folders.tree import IMAGE_SUFFIXES, scan
from tuner.data.images import Allocate, Images, printable
from tuner.data.labels import is_label, number_labels
from tuner.data.left_out import NO_IMAGES, LeftOut, fold, left_out
from tuner.data.tables.file_finder import FileFinder, refuse_outside
from tuner.data.tables.pixel_rows import column_at, role_in
from tuner.data.tables.table import csv_rows
from tuner.data.tables.table_parts import (
    TablePart,
    folder_of,
    other_tables,
    table_parts,
    table_sources,
)
from tuner.errors import DataError

_ONES = frozenset({"1", "1.0", "true"})
_ZEROS = frozenset({"0", "0.0", "false", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One row, read but for its file: what is empty is not stated."""

    name: str
    label: str
    part: str
    group: str
    where: str


@dataclass(slots=True)
class _Listed:
    """What the tables say, held against what is there."""

    files: list[ClassFile] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    folders: dict[str, None] = field(default_factory=dict)


def sources(card: Card, data_root: Path) -> list[str]:
    """The tables, the files that they name, and the folders that may get others."""
    listed = _list(card, data_root)
    places = table_sources(card, data_root)
    return [*places, *listed.folders, *(file.path for file in listed.files)]


def read(card: Card, data_root: Path, allocate: Allocate) -> Images:
    """Decode all files, in the order of the rows; unreadable ones are left out and named.

    Raises:
        DataError: If a row cannot be used, no file is there, or none of a class can be read.
    """
    listed = _list(card, data_root)
    images = read_files(_without_group(card), _listing(card, listed), allocate)
    return _completed(images, card, data_root, listed)


def stream(card: Card, data_root: Path) -> Images:
    """Do as `read` does, but keep no pixels.

    Raises:
        DataError: As `read`.
    """
    listed = _list(card, data_root)
    images = stream_files(_without_group(card), _listing(card, listed))
    return _completed(images, card, data_root, listed)


def _files(card: Card) -> FileList:
    assert isinstance(card.files, FileList)
    return card.files


def _without_group(card: Card) -> Card:
    """The card without the column of groups, which class folders would take for a regular expression."""
    return card.model_copy(update={"splits": card.splits.model_copy(update={"group": None})})


def _listing(card: Card, listed: _Listed) -> Listing:
    labels = [file.label for file in listed.files]
    translated = number_labels(card, labels, listed.places)
    return Listing(
        files=listed.files,
        names=translated.names,
        numbers=dict(zip(labels, translated.numbers, strict=True)),
    )


def _completed(images: Images, card: Card, data_root: Path, listed: _Listed) -> Images:
    """With the groups of the images that could be read, and what is left out."""
    groups = dict(zip((file.origin for file in listed.files), listed.groups, strict=True))
    return replace(
        images,
        groups=np.asarray([groups[origin] for origin in images.origins], dtype=np.str_),
        left_out=_left_out(card, data_root, listed),
    )


def _list(card: Card, data_root: Path) -> _Listed:
    """Find the file of each row.

    Raises:
        DataError: If a row cannot be used, or no file is there.
    """
    files, listed = _files(card), _Listed()
    seen: dict[tuple[str, str, str], None] = {}
    n_of: dict[str, int] = {}
    top = folder_of(card, data_root)
    for table in table_parts(card, data_root):
        root = table.path.parent if files.root is None else data_root / files.root
        finder = FileFinder(root)
        for row in _rows(card, table):
            path = finder.path(row.name)
            origin = printable(os.path.relpath(path, top or root) if path else row.name)
            if path is None:
                refuse_outside(row.name, row.where)
                listed.missing.append(origin or row.where)
            elif not is_label(row.label):
                listed.unlabelled.append(origin)
            elif (path, row.label, row.part) in seen:
                listed.repeated.append(origin)
            else:
                seen[path, row.label, row.part] = None
                n_of[path] = n_of.get(path, 0) + 1
                # Origins differ, also where a file is listed under two labels.
                again = f" ({row.where})" if n_of[path] > 1 else ""
                listed.files.append(_file(path, row, origin + again))
                listed.groups.append(row.group)
                listed.places.append(row.where)
        listed.folders |= dict.fromkeys(finder.folders)
    if not listed.files:
        raise _no_files(card, listed)
    return listed


def _file(path: str, row: _Row, origin: str) -> ClassFile:
    return ClassFile(path=path, part=row.part, label=row.label, below=origin, origin=origin)


def _rows(card: Card, table: TablePart) -> Iterator[_Row]:
    """The rows of a table.

    Raises:
        DataError: If a row or a column cannot be used.
    """
    files, roles, path = _files(card), card.splits.roles(), table.path
    with csv_rows(path) as (header, rows):
        name_at = column_at(header, files.file_column, path)
        labels_at = [
            column_at(header, column, path)
            for column in files.label_columns or [files.label_column or 0]
        ]
        split_at = None
        if files.split_column is not None and not table.role:
            split_at = column_at(header, files.split_column, path)
        group_at = None if card.splits.group is None else column_at(header, card.splits.group, path)
        for line, row in chain([] if files.header else [(1, header)], rows):
            where = f"{path.name}, line {line}"
            if len(row) != len(header):
                raise DataError(
                    f"{where}: it has {len(row)} columns; expected {len(header)}",
                    "correct the row, or delete it.",
                )
            label = row[labels_at[0]].strip()
            if files.label_columns is not None:
                label = _one_of(header, row, labels_at, where)
            yield _Row(
                name=row[name_at],
                label=label,
                part=table.role if split_at is None else role_in(row[split_at], roles, where),
                group="" if group_at is None else row[group_at].strip(),
                where=where,
            )


def _one_of(header: Sequence[str], row: Sequence[str], at: Sequence[int], where: str) -> str:
    """The name of the column that holds 1; nothing where none does.

    Raises:
        DataError: If several do, or one holds something else than 0 or 1.
    """
    values = [row[column].strip().casefold() for column in at]
    odd = [value for value in values if value not in _ONES | _ZEROS]
    if odd:
        raise DataError(
            f'{where}: a class\'s column holds "{odd[0][:20]}"; expected 0 or 1', "correct the row."
        )
    found = [header[column] for column, value in zip(at, values, strict=True) if value in _ONES]
    if len(found) > 1:
        raise DataError(
            f"{where}: it is of several classes, {', '.join(found[:5])}",
            "give each image one class; several classes for one image are not supported.",
        )
    return found[0] if found else ""


def _left_out(card: Card, data_root: Path, listed: _Listed) -> tuple[LeftOut, ...]:
    files, top = _files(card), folder_of(card, data_root)
    used = {_whole(file.path) for file in listed.files}
    skipped = {*listed.unlabelled, *listed.repeated}
    tables = {_whole(table.path) for table in table_parts(card, data_root)}
    tree = scan(top) if top else None
    there = (
        (f"{top}{os.sep}{name}" for name in tree.files()) if tree else _directly_in(listed.folders)
    )
    base = top or (data_root / files.path).parent
    unnamed, others = [], []
    for path in there:
        if _whole(path) in used | tables:
            continue
        shown = printable(os.path.relpath(path, base))
        if path.rpartition(".")[2].lower() in IMAGE_SUFFIXES:
            unnamed += [shown] if shown not in skipped else []
        elif top:
            others.append(shown)
    label = (
        files.label_column if files.label_column is not None else (files.label_columns or [0])[0]
    )
    beside = other_tables(card, data_root, str(label))
    known = {name.partition(" (")[0] for one in beside for name in one.names}
    return (
        *left_out("named by the table, but not there", listed.missing, "file"),
        *left_out("without a label", listed.unlabelled, "file"),
        *left_out("named twice", listed.repeated, "row"),
        *left_out("named in no row", unnamed, "file"),
        *beside,
        *left_out(NO_IMAGES, [name for name in others if name not in known], "file"),
        *(fold(tree.all_aside()) if tree else ()),
    )


def _whole(path: str | Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - stays text, and follows no link


def _directly_in(folders: Sequence[str] | dict[str, None]) -> Iterator[str]:
    for folder in folders:
        with os.scandir(folder) as found:
            names = sorted(entry.name for entry in found if entry.is_file())
        yield from (f"{folder}{os.sep}{name}" for name in names if not name.startswith("."))


def _no_files(card: Card, listed: _Listed) -> DataError:
    if listed.unlabelled:
        return DataError(
            f"{card.name}: none of the {len(listed.unlabelled):,} files that are there has a label",
            "give the table that has labels.",
        )
    first = f", such as {listed.missing[0]}" if listed.missing else ""
    return DataError(
        f"{card.name}: none of the {len(listed.missing):,} files that the table names is"
        f" there{first}",
        "put them beside the table; or state root, the folder that names start from, in a card.",
    )
