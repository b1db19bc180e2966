"""What every data format says of itself, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from tuner.data.described import Described
from tuner.data.left_out import LeftOut
from tuner.space.documents.validation import Strict

if TYPE_CHECKING:
    # NumPy takes its time, and a card is read without it.
    from tuner.data.images import Allocate, Images


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a data set depends on.

    Attributes:
        paths: Files, and folders whose time tells of new files: when one changes, the images are
            read again.
        left_out: Says, of the images that were read, what else was found; None where that is part
            of the images. It is asked at each load, so that a text file more beside the class
            folders does not outdate the cache.
    """

    paths: Sequence[str | Path]
    left_out: Callable[[Images], tuple[LeftOut, ...]] | None = None


class Loader(Strict):
    """One data format: the keys under `files` in a card, and how images are read by them.

    A new format is a module with a class derived from this one, and a line in `loaders.LOADERS`.
    What it needs of NumPy, Pillow or scikit-learn is imported where it is used: a card can be
    checked without them.

    Attributes:
        type: Name of the format.
        path_keys: Keys that hold a path below the data root.
        inner_keys: Keys that hold a path within one of these.
        takes_group: Whether `splits.group` has a meaning.
        parts_are_folders: Whether the parts that `splits` names are folders.
        has_image_files: Whether each image is a file of its own. Such are decoded in any size; and
            where the cache has no room for them, each time that they are asked for.
    """

    type: str

    path_keys: ClassVar[tuple[str, ...]] = ("path",)
    inner_keys: ClassVar[tuple[str, ...]] = ()
    takes_group: ClassVar[bool] = False
    parts_are_folders: ClassVar[bool] = False
    has_image_files: ClassVar[bool] = False

    @property
    def paths(self) -> list[str]:
        """The files and folders that hold the images, relative to the data root."""
        named = (getattr(self, key) for key in self.path_keys)
        return list(dict.fromkeys(path for path in named if path is not None))

    def check_group(self, group: str) -> None:
        """Check the card's rule of groups.

        Raises:
            ValueError: If it has no meaning here.
        """
        if not self.takes_group:
            raise ValueError(
                f"has a group, which does not go with files of type {self.type}. | remove it."
            )

    def sources(self, card: Described, data_root: Path) -> Sources:
        """What the images are read from.

        Raises:
            DataError: If that cannot be told, as where a table cannot be read.
        """
        raise NotImplementedError

    def read(self, card: Described, data_root: Path, allocate: Allocate) -> Images:
        """Read all images, in an order that depends on nothing but the data.

        Args:
            card: The rest of the card.
            data_root: Folder of the data.
            allocate: Gives room for so many images, of which the first rows are to be filled.

        Raises:
            DataError: If they cannot be used.
        """
        raise NotImplementedError

    def stream(self, card: Described, data_root: Path) -> Images:
        """Do as `read` does, but keep no pixels; for formats that have image files.

        Raises:
            DataError: As `read`.
        """
        raise NotImplementedError
