"""The rows of tables that name image files and their labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from tuner.data.splits.split_rules import MaybeRole, Role
from tuner.data.tables.row_places import Column, column_at, role_in
from tuner.data.tables.table import csv_rows
from tuner.data.tables.table_parts import TablePart
from tuner.errors import DataError

_ONES = frozenset({"1", "1.0", "true"})
_ZEROS = frozenset({"0", "0.0", "false", ""})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListColumns:
    """The columns of such a table.

    Attributes:
        file: Names the files.
        labels: Holds the labels; several are one for each class, of which one holds 1.
        split: Names each image's part; None where there is none.
        group: The same of what images are not parted from.
        has_header: Whether the first line names the columns.
    """

    file: Column
    labels: Sequence[Column]
    split: Column | None
    group: Column | None
    has_header: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """One row, read but for its file: what is empty is not stated."""

    name: str
    label: str
    part: MaybeRole
    group: str
    where: str


def list_rows(
    table: TablePart, columns: ListColumns, roles: Mapping[str, Role]
) -> Iterator[ListRow]:
    """The rows of a table.

    Args:
        table: Which table.
        columns: Its columns.
        roles: The role of each part, by the data's own name for it.

    Raises:
        DataError: If a row or a column cannot be used.
    """
    path = table.path
    with csv_rows(path) as (header, rows):
        name_at = column_at(header, columns.file, path)
        labels_at = [column_at(header, column, path) for column in columns.labels]
        split_at = None
        if columns.split is not None and not table.role:
            split_at = column_at(header, columns.split, path)
        group_at = None if columns.group is None else column_at(header, columns.group, path)
        for line, row in chain([] if columns.has_header else [(1, header)], rows):
            where = f"{path.name}, line {line}"
            if len(row) != len(header):
                raise DataError(
                    f"{where}: it has {len(row)} columns; expected {len(header)}",
                    "correct the row, or delete it.",
                )
            label = row[labels_at[0]].strip()
            if len(labels_at) > 1:
                label = _one_of(header, row, labels_at, where)
            yield ListRow(
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
            f"{where}: it has several classes, {', '.join(found[:5])}",
            "give each image one class; several classes for one image are not supported.",
        )
    return found[0] if found else ""
