"""What tables of file names say, held against what is there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tuner.data.folders.class_files import ClassFile
from tuner.data.folders.tree import IMAGE_SUFFIXES, scan
from tuner.data.labels import is_label
from tuner.data.left_out import NO_IMAGES, LeftOut, fold, left_out
from tuner.data.splits.split_rules import Role
from tuner.data.tables.file_finder import FileFinder, refuse_outside
from tuner.data.tables.list_rows import ListColumns, ListRow, list_rows
from tuner.data.tables.table_parts import TablePlace, folder_of, other_tables, table_parts
from tuner.errors import DataError
from tuner.names import printable


@dataclass(slots=True)
class ListedFiles:
    """The files that tables name.

    Attributes:
        files: Those that are there and have a label.
        groups: The group of each.
        places: The row of each, for messages.
        missing: Names of files that are not there.
        unlabelled: Those without a label.
        repeated: Those named again with the same label.
        folders: Folders in which files were looked for.
    """

    files: list[ClassFile] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    folders: dict[str, None] = field(default_factory=dict)


def find_listed(
    place: TablePlace, root: Path | None, columns: ListColumns, roles: Mapping[str, Role]
) -> ListedFiles:
    """Find the file of each row.

    Args:
        place: Where the tables are.
        root: Folder that the names of files start from; None for that of each table.
        columns: Columns of the tables.
        roles: The role of each part, by the data's own name for it.

    Raises:
        DataError: If a row cannot be used, or no file is there.
    """
    listed = ListedFiles()
    seen: dict[tuple[str, str, str], None] = {}
    n_of: dict[str, int] = {}
    top = folder_of(place)
    for table in table_parts(place):
        start = table.path.parent if root is None else root
        finder = FileFinder(start)
        for row in list_rows(table, columns, roles):
            path = finder.path(row.name)
            origin = printable(os.path.relpath(path, top or start) if path else row.name)
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
        raise _no_files(place.name, listed)
    return listed


def _file(path: str, row: ListRow, origin: str) -> ClassFile:
    return ClassFile(path=path, part=row.part, label=row.label, below=origin, origin=origin)


def unlisted(place: TablePlace, listed: ListedFiles, label: str) -> tuple[LeftOut, ...]:
    """What is left out: of the rows, and of the files beside the tables and their images.

    Args:
        place: Where the tables are.
        listed: What they name.
        label: Column without which a table has no labels.
    """
    top = folder_of(place)
    used = {_whole(file.path) for file in listed.files}
    skipped = {*listed.unlabelled, *listed.repeated}
    tables = {_whole(table.path) for table in table_parts(place)}
    tree = scan(top) if top else None
    there = (
        (f"{top}{os.sep}{name}" for name in tree.files()) if tree else _directly_in(listed.folders)
    )
    base = top or place.path.parent
    unnamed, others = [], []
    for path in there:
        if _whole(path) in used | tables:
            continue
        shown = printable(os.path.relpath(path, base))
        if path.rpartition(".")[2].lower() in IMAGE_SUFFIXES:
            unnamed += [shown] if shown not in skipped else []
        elif top:
            others.append(shown)
    beside = other_tables(place, label)
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


def _no_files(name: str, listed: ListedFiles) -> DataError:
    if listed.unlabelled:
        return DataError(
            f"{name}: none of the {len(listed.unlabelled):,} files that are there has a label",
            "give the table that has labels.",
        )
    first = f", such as {listed.missing[0]}" if listed.missing else ""
    return DataError(
        f"{name}: none of the {len(listed.missing):,} files that the table names is there{first}",
        "put them beside the table; or state root, the folder that names start from, in a card.",
    )
