"""FER-style tables: a label, grey values in one column, perhaps the part in each row."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tuner.data.described import Described
from tuner.data.formats.table_loader import TableLoader
from tuner.data.tables.row_places import Places, column_at

if TYPE_CHECKING:
    from tuner.data.images import Allocate, Images

# What else stands between the values of an image, or around them.
MARKS = "[](){},;|\t\r\n"
_BLANKS = str.maketrans(MARKS, " " * len(MARKS))


class FerCsv(TableLoader):
    """A table with one image per row: a label, its values in one column, and its part.

    Where `path` is a folder, `splits` names its tables, or `table` one of them.
    """

    type: Literal["fer_csv"]
    label_column: str = "emotion"
    pixels_column: str = "pixels"
    usage_column: str = Field(default="Usage", description="may be missing from the file")

    def read(self, card: Described, data_root: Path, allocate: Allocate) -> Images:
        """Parse the tables.

        Raises:
            DataError: For the first row that cannot be used, or a missing column.
        """
        from tuner.data.tables.pixel_rows import RowForm, read_rows

        form = RowForm(locate=partial(self._places, card.splits.group), label=self.label_column)
        return read_rows(card, self.place(card, data_root), allocate, form)

    def _places(
        self, group_column: str | None, path: Path, header: list[str], first: list[str]
    ) -> Places:
        label = column_at(header, self.label_column, path)
        pixels = column_at(header, self.pixels_column, path)
        names = [name.casefold() for name in header]
        usage_name = self.usage_column.casefold()
        usage = names.index(usage_name) if usage_name in names else None
        group = None if group_column is None else column_at(header, group_column, path)
        is_plain = not set(MARKS) & set(first[pixels] if pixels < len(first) else "")
        return Places(
            label=label,
            usage=usage,
            group=group,
            text=(
                (lambda row: row[pixels])
                if is_plain
                else (lambda row: blank_separated(row[pixels]))
            ),
            separator=" ",
            unused=tuple(
                name for at, name in enumerate(header) if at not in (label, pixels, usage, group)
            ),
        )


def blank_separated(text: str) -> str:
    """The values of a list such as `[1, 2, 3]`, with nothing but blanks between them."""
    return text.translate(_BLANKS)
