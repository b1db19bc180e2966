"""Tables with a column for each value of an image, such as MNIST's as CSV."""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tuner.data.described import Described
from tuner.data.formats.table_loader import TableLoader
from tuner.data.tables.row_places import Column, Places, column_at

if TYPE_CHECKING:
    from tuner.data.images import Allocate, Images


class PixelColumns(TableLoader):
    """A table with one image per row, and a column for each value; `path` as for fer_csv."""

    type: Literal["pixel_columns"]
    header: bool = Field(default=True, description="whether the first line names the columns")
    label_column: Column = "label"
    usage_column: Column | None = Field(default=None, description="names each image's part")
    other_columns: list[Column] = Field(default=[], description="columns that are no pixels")
    channels_first: bool = Field(
        default=False, description="all red values of an image, then all green, then all blue ones"
    )

    def read(self, card: Described, data_root: Path, allocate: Allocate) -> Images:
        """Parse the tables.

        Each column is a value of the image, in their order, but for those that the card names.

        Raises:
            DataError: For the first row that cannot be used, or a missing column.
        """
        from tuner.data.tables.pixel_rows import RowForm, read_rows

        form = RowForm(
            locate=partial(self._places, card.splits.group),
            label=self.label_column,
            has_header=self.header,
            channels_first=self.channels_first,
        )
        return read_rows(card, self.place(card, data_root), allocate, form)

    def _places(
        self, group_column: str | None, path: Path, header: list[str], first: list[str]
    ) -> Places:
        label = column_at(header, self.label_column, path)
        usage = None if self.usage_column is None else column_at(header, self.usage_column, path)
        group = None if group_column is None else column_at(header, group_column, path)
        others = [column_at(header, column, path) for column in self.other_columns]
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
            unused=tuple(header[at] if self.header else f"column {at + 1}" for at in others),
        )
