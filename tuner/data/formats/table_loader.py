"""What the formats of tables have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from tuner.data.described import Described
from tuner.data.formats.loader import Loader, Sources

if TYPE_CHECKING:
    from tuner.data.tables.table_parts import TablePlace


class TableLoader(Loader):
    """A table, or a folder of tables; then `splits` names its tables, or `table` one of them."""

    path: str
    table: str | None = Field(
        default=None,
        description="the table to read, where path is a folder whose other files are left out",
    )

    inner_keys: ClassVar[tuple[str, ...]] = ("table",)
    takes_group: ClassVar[bool] = True

    def place(self, card: Described, data_root: Path) -> TablePlace:
        """Where the tables are."""
        from tuner.data.tables.table_parts import TablePlace

        return TablePlace(
            name=card.name,
            path=data_root / self.path,
            table=self.table,
            roles=card.splits.roles(),
        )

    def sources(self, card: Described, data_root: Path) -> Sources:
        """The tables, and folders whose other files are named."""
        from tuner.data.tables.table_parts import table_sources

        return Sources(paths=table_sources(self.place(card, data_root)))
