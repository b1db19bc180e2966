"""FER-style tables: a label, blank-separated grey values, and perhaps the part (`Usage`) in each row."""

from __future__ import annotations

from pathlib import Path

from tuner.data.cards.card import Card, FerCsv
from tuner.data.images import Allocate, Images
from tuner.data.tables.pixel_rows import Places, column_at, read_rows
from tuner.data.tables.table_parts import table_sources

# What else stands between the values of an image, or around them.
MARKS = "[](){},;|\t\r\n"
_BLANKS = str.maketrans(MARKS, " " * len(MARKS))


def sources(card: Card, data_root: Path) -> list[str]:
    """The files that the images are read from."""
    return table_sources(card, data_root)


def read(card: Card, data_root: Path, allocate: Allocate) -> Images:
    """Parse the tables.

    Raises:
        DataError: For the first row that cannot be used, or a missing column.
    """
    return read_rows(card, data_root, allocate, _places)


def blank_separated(text: str) -> str:
    """The values of a list such as `[1, 2, 3]`, with nothing but blanks between them."""
    return text.translate(_BLANKS)


def _places(card: Card, path: Path, header: list[str], first: list[str]) -> Places:
    files = card.files
    assert isinstance(files, FerCsv)
    label = column_at(header, files.label_column, path)
    pixels = column_at(header, files.pixels_column, path)
    names = [name.casefold() for name in header]
    usage_name = files.usage_column.casefold()
    usage = names.index(usage_name) if usage_name in names else None
    group = None if card.splits.group is None else column_at(header, card.splits.group, path)
    is_plain = not set(MARKS) & set(first[pixels] if pixels < len(first) else "")
    return Places(
        label=label,
        usage=usage,
        group=group,
        text=(
            (lambda row: row[pixels]) if is_plain else (lambda row: blank_separated(row[pixels]))
        ),
        separator=" ",
        unused=tuple(
            name for at, name in enumerate(header) if at not in (label, pixels, usage, group)
        ),
    )
