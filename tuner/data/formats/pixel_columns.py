"""Tables with a column for each value of an image, such as MNIST's as CSV."""

from __future__ import annotations

from operator import itemgetter
from pathlib import Path

from tuner.data.cards.card import Card, PixelColumns
from tuner.data.images import Allocate, Images
from tuner.data.tables.pixel_rows import Places, column_at, read_rows
from tuner.data.tables.table_parts import table_sources


def sources(card: Card, data_root: Path) -> list[str]:
    """The files that the images are read from."""
    return table_sources(card, data_root)


def read(card: Card, data_root: Path, allocate: Allocate) -> Images:
    """Parse the tables; each column is a value of the image, in their order, but for those that the card names.

    Raises:
        DataError: For the first row that cannot be used, or a missing column.
    """
    return read_rows(card, data_root, allocate, _places)


def _places(card: Card, path: Path, header: list[str], first: list[str]) -> Places:
    files = card.files
    assert isinstance(files, PixelColumns)
    label = column_at(header, files.label_column, path)
    usage = None if files.usage_column is None else column_at(header, files.usage_column, path)
    group = None if card.splits.group is None else column_at(header, card.splits.group, path)
    others = [column_at(header, column, path) for column in files.other_columns]
    taken = {label, usage, group, *others}
    pixels = [at for at in range(len(header)) if at not in taken]
    is_block = bool(pixels) and pixels[-1] - pixels[0] + 1 == len(pixels)
    # A slice is several times as fast as picking a thousand fields one by one.
    span = slice(pixels[0], pixels[-1] + 1) if is_block else slice(0)
    pick = itemgetter(*pixels) if len(pixels) > 1 and not is_block else None
    return Places(
        label=label,
        usage=usage,
        group=group,
        text=lambda row: ",".join(row[span] if pick is None else pick(row)),
        separator=",",
        unused=tuple(header[at] if files.header else f"column {at + 1}" for at in others),
    )
