"""Tables that name image files and their labels; the files are decoded as in class folders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from tuner.data.described import Described
from tuner.data.formats.loader import Sources
from tuner.data.formats.table_loader import TableLoader
from tuner.data.tables.row_places import Column

if TYPE_CHECKING:
    from tuner.data.folders.class_images import Listing
    from tuner.data.images import Allocate, Images
    from tuner.data.tables.listed_files import ListedFiles


class FileList(TableLoader):
    """A table that names an image file and its label in each row; `path` as for fer_csv."""

    type: Literal["file_list"]
    header: bool = Field(default=True, description="whether the first line names the columns")
    root: str | None = Field(
        default=None,
        description="folder that the names of files start from; by default that of the table",
    )
    file_column: Column
    label_column: Column | None = None
    label_columns: list[Column] | None = Field(
        default=None,
        min_length=2,
        description="a column per class, of which one holds 1, the others 0",
    )
    split_column: Column | None = Field(default=None, description="names each image's part")

    path_keys: ClassVar[tuple[str, ...]] = ("path", "root")
    has_image_files: ClassVar[bool] = True

    @model_validator(mode="after")
    def _has_labels(self) -> Self:
        if (self.label_column is None) == (self.label_columns is None):
            raise ValueError(
                "must have either label_column or label_columns. | give one of the two."
            )
        return self

    def sources(self, card: Described, data_root: Path) -> Sources:
        """The tables, the files that they name, and the folders that may get others.

        Raises:
            DataError: If a row cannot be used, or no file is there.
        """
        listed = self._listed(card, data_root)
        tables = super().sources(card, data_root)
        files = (file.path for file in listed.files)
        return Sources(paths=[*tables.paths, *listed.folders, *files])

    def read(self, card: Described, data_root: Path, allocate: Allocate) -> Images:
        """Decode all files, in the order of the rows; unreadable ones are left out and named.

        Raises:
            DataError: If a row cannot be used, no file is there, or none of a class can be read.
        """
        from tuner.data.folders.class_images import read_files

        listed = self._listed(card, data_root)
        images = read_files(card, _listing(card, listed), allocate)
        return self._completed(images, card, data_root, listed)

    def stream(self, card: Described, data_root: Path) -> Images:
        """Do as `read` does, but keep no pixels.

        Raises:
            DataError: As `read`.
        """
        from tuner.data.folders.class_images import stream_files

        listed = self._listed(card, data_root)
        images = stream_files(card, _listing(card, listed))
        return self._completed(images, card, data_root, listed)

    @property
    def _labels(self) -> list[Column]:
        return self.label_columns or [0 if self.label_column is None else self.label_column]

    def _listed(self, card: Described, data_root: Path) -> ListedFiles:
        from tuner.data.tables.list_rows import ListColumns
        from tuner.data.tables.listed_files import find_listed

        columns = ListColumns(
            file=self.file_column,
            labels=self._labels,
            split=self.split_column,
            group=card.splits.group,
            has_header=self.header,
        )
        root = None if self.root is None else data_root / self.root
        return find_listed(self.place(card, data_root), root, columns, card.splits.roles())

    def _completed(
        self, images: Images, card: Described, data_root: Path, listed: ListedFiles
    ) -> Images:
        """With what is left out."""
        from tuner.data.tables.listed_files import unlisted

        left_out = unlisted(self.place(card, data_root), listed, str(self._labels[0]))
        return replace(images, left_out=left_out)


def _listing(card: Described, listed: ListedFiles) -> Listing:
    from tuner.data.folders.class_images import Listing
    from tuner.data.labels import number_labels

    labels = [file.label for file in listed.files]
    translated = number_labels(card, labels, listed.places)
    return Listing(
        files=listed.files,
        names=translated.names,
        numbers=dict(zip(labels, translated.numbers, strict=True)),
        groups=listed.groups,
    )
