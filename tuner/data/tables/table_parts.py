"""Which tables a card means, and what of its folder is left out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tuner.data.folders.tree import scan
from tuner.data.left_out import LeftOut, fold, left_out
from tuner.data.splits.split_rules import MaybeRole, Role
from tuner.data.tables.file_finder import refuse_outside
from tuner.data.tables.table import csv_rows, is_table
from tuner.errors import DataError
from tuner.names import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePlace:
    """Where the tables of a data set are.

    Attributes:
        name: Of the data set, for messages.
        path: A table, or a folder of them.
        table: The one to read in the folder, where the card names one.
        roles: Otherwise the role of each table in the folder, by its path in it.
    """

    name: str
    path: Path
    table: str | None
    roles: Mapping[str, Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePart:
    """One table of a data set.

    Attributes:
        path: Where it is.
        name: As messages and origins call it.
        role: `train`, `validation` or `test`; empty where its rows may say so themselves.
    """

    path: Path
    name: str
    role: MaybeRole


def table_parts(place: TablePlace) -> list[TablePart]:
    """The tables, in the order of the card.

    Raises:
        DataError: If the card names a folder, and no table in it, or one elsewhere.
    """
    path = place.path
    if not path.is_dir():
        return [TablePart(path=path, name=path.name, role="")]
    if place.table is not None:
        return [TablePart(path=path / place.table, name=place.table, role="")]
    roles = place.roles
    if not roles:
        raise DataError(
            f"{place.name}: {path} is a folder, and the card names none of its tables",
            "name one under files, as table; or one for each part under splits.",
        )
    for name in roles:
        refuse_outside(name, f"{place.name}, splits")
    return [TablePart(path=path / name, name=name, role=role) for name, role in roles.items()]


def folder_of(place: TablePlace) -> Path | None:
    """The folder whose other files are accounted for; None where the card names a single file."""
    return place.path if place.path.is_dir() else None


def table_sources(place: TablePlace) -> list[str]:
    """What a data set of tables depends on: those, and folders whose other files are named."""
    tables = (os.fspath(table.path) for table in table_parts(place))
    return [*tables, *_folders(place)]


def other_tables(place: TablePlace, label: str) -> tuple[LeftOut, ...]:
    """The rows and files of a folder's tables that are not read.

    Args:
        place: Names the others.
        label: Column without which a table has no labels.
    """
    folder = folder_of(place)
    if folder is None:
        return ()
    used = {part.path for part in table_parts(place)}
    unlabelled: list[str] = []
    others: list[str] = []
    for path in sorted(folder.iterdir()):
        if not is_table(path) or path in used or path.name.startswith("."):
            continue
        try:
            with csv_rows(path) as (header, rows):
                n = sum(1 for _ in rows)
        except DataError:
            others.append(printable(path.name))
            continue
        shown = f"{printable(path.name)} ({n:,} {'row' if n == 1 else 'rows'})"
        (others if label in header else unlabelled).append(shown)
    return (
        *left_out(f'tables without the column "{printable(label)}"', unlabelled, "file"),
        *left_out("tables that are not named as parts", others, "file"),
    )


def _folders(place: TablePlace) -> list[str]:
    """The folder whose files are accounted for, and those below, whose times new files change."""
    top = folder_of(place)
    return [] if top is None else [f"{top}{os.sep}{folder.below}" for folder in scan(top).walk()]


def other_files(place: TablePlace) -> tuple[LeftOut, ...]:
    """What is in a folder beside tables that hold the images themselves."""
    folder = folder_of(place)
    if folder is None:
        return ()
    used = {table.path for table in table_parts(place)}
    tree = scan(folder)
    # The other tables directly in the folder have a line of their own.
    below = [
        name
        for name in tree.files()
        if folder / name not in used and ("/" in name or not is_table(folder / name))
    ]
    return (
        *left_out("not tables that are read", list(map(printable, below)), "file"),
        *fold(tree.all_aside()),
    )
