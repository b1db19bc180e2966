"""Where a row of a table holds what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tuner.data.splits.split_rules import Role
from tuner.errors import DataError

# By name; or by position from 0, or from -1 backwards, where the table has no header.
Column = str | int


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


# Finds the places in a table, by its path, its first row and the one that follows it.
Locate = Callable[[Path, list[str], list[str]], Places]


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


def role_in(usage: str, roles: Mapping[str, Role], where: str) -> Role:
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
