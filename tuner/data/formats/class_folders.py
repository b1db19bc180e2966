"""A folder per class, with or without a folder per part above them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from tuner.data.described import Described
from tuner.data.folders.class_files import ClassFiles, LayoutKind
from tuner.data.formats.loader import Loader, Sources

if TYPE_CHECKING:
    from tuner.data.folders.class_images import Listing
    from tuner.data.images import Allocate, Images


class ClassFolders(Loader):
    """A folder per class, or a folder per part with a folder per class in each.

    `splits` names the parts' folders.
    """

    type: Literal["class_folders"]
    path: str
    top: str | None = Field(
        default=None, description="folder in it that holds the classes or parts"
    )
    layout: LayoutKind | None = Field(
        default=None,
        description=(
            "parts_in_classes: each class's folder holds the parts' folders; file_names: there are"
            " no class folders, and the name of each file begins with its class, such as cat.0.jpg"
        ),
    )

    takes_group: ClassVar[bool] = True
    parts_are_folders: ClassVar[bool] = True
    has_image_files: ClassVar[bool] = True

    def check_group(self, group: str) -> None:
        """Check that the group is a regular expression.

        Raises:
            ValueError: If it is none.
        """
        try:
            re.compile(group)
        except re.error as error:
            raise ValueError(
                f"has a group that is no regular expression: {error}. | correct it."
            ) from None

    def sources(self, card: Described, data_root: Path) -> Sources:
        """The files of all classes, and what is left out.

        Raises:
            DataError: If a folder that the card names is missing, a class is empty, or there is no
                class.
        """
        found = self._listed(card, data_root)
        return Sources(
            paths=[file.path for file in found.files],
            left_out=lambda images: found.left_out(images.origins),
        )

    def read(self, card: Described, data_root: Path, allocate: Allocate) -> Images:
        """Decode all images, in the order part, class, file name.

        Single unreadable files are left out and named.

        Raises:
            DataError: If a class has no file, or none that can be read; or a folder is no class of
                the card.
        """
        from tuner.data.folders.class_images import read_files

        return read_files(card, self._listing(card, data_root), allocate)

    def stream(self, card: Described, data_root: Path) -> Images:
        """Do as `read` does, but keep no pixels.

        Images are decoded again whenever they are asked for.

        Raises:
            DataError: As `read`.
        """
        from tuner.data.folders.class_images import stream_files

        return stream_files(card, self._listing(card, data_root))

    def _listing(self, card: Described, data_root: Path) -> Listing:
        from tuner.data.folders.class_images import listing_of

        files = self._listed(card, data_root).files
        return listing_of(card, files, data_root / self.path)

    def _listed(self, card: Described, data_root: Path) -> ClassFiles:
        from tuner.data.folders.class_files import list_files
        from tuner.data.folders.tree import scan

        root = data_root / self.path
        return list_files(
            card.name,
            scan(root),
            root,
            roles=card.splits.roles(),
            top=self.top or "",
            layout=self.layout,
        )
