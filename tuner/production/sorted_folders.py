"""Images put into a folder for each class, as copies or links; nothing is replaced."""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

from tuner.data.decoding.decode import UnreadableImageError
from tuner.errors import ConfigurationError
from tuner.names import plain_name, printable
from tuner.store.files.leftovers import sweep, writer
from tuner.store.files.whole_files import is_disk_full

# The folder of images that the model is not sure of.
UNSURE = "unsure"
# What would leave the folder, steer a terminal, or is no name on some system.
_MOST_LETTERS = 60
_UNSAFE = frozenset('/\\:*?"<>|')


class SortedFolders:
    """A folder with one folder for each class."""

    def __init__(self, root: Path, class_names: Sequence[str], *, links: bool) -> None:
        """Take the folder, which is made when the first image is put into it.

        Args:
            root: The folder.
            class_names: Of the model.
            links: Whether images are linked, not copied.
        """
        self._root = root
        self._links = links
        self._names = folder_names(class_names)
        self._n_begun = 0
        self.n_put = 0
        self.n_there = 0

    def put(self, image: Path, class_name: str | None) -> Path:
        """Put an image where its class belongs; one that is there already is left as it is.

        Args:
            image: A file.
            class_name: None for one that the model is not sure of.

        Returns:
            Where it is.

        Raises:
            ConfigurationError: If nothing can be written there.
            UnreadableImageError: If this image cannot be put there, for what it is itself.
        """
        folder = self._root / self._names[class_name]
        try:
            if folder.is_symlink():
                raise ConfigurationError(
                    f"{folder}: is a link, so images would be written elsewhere",
                    "name another folder.",
                )
            folder.mkdir(parents=True, exist_ok=True)
            return self._put(image, folder)
        except OSError as error:
            if is_disk_full(error):
                raise
            if error.errno == errno.ENAMETOOLONG or not os.access(image, os.R_OK):
                raise UnreadableImageError(
                    f"cannot be put into {folder}: {error.strerror or error}"
                ) from error
            raise ConfigurationError(
                f"{folder}: {image} cannot be put there: {error.strerror or error}",
                "name another folder with --sort-into"
                + (", or leave --link out." if self._links else "."),
            ) from error

    def _put(self, image: Path, folder: Path) -> Path:
        for number in count(1):
            name = image.name if number == 1 else f"{image.stem}-{number}{image.suffix}"
            target = folder / name
            if _is_same(image, target):
                self.n_there += 1
                return target
            with suppress(FileExistsError):
                self._make(image, target)
                self.n_put += 1
                return target
        raise AssertionError

    def _make(self, image: Path, target: Path) -> None:
        if self._links:
            target.symlink_to(image.resolve())
            return
        # Under another name first, so that a killed command leaves no half of an image.
        self._n_begun += 1
        half = target.with_name(f".{self._n_begun}.{writer()}.tmp")
        try:
            shutil.copy2(image, half)
            try:
                os.link(half, target)
            except FileExistsError:
                raise
            except (OSError, NotImplementedError):
                # A disk without hard links.
                with open(half, "rb") as content, open(target, "xb") as file:
                    shutil.copyfileobj(content, file)
        finally:
            half.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Delete what killed commands have left half copied."""
        sweep(self._root.glob("*/.*.tmp"))


def folder_names(class_names: Sequence[str]) -> dict[str | None, str]:
    """A folder's name for each class, and for images of none; no two are the same on any system."""
    names: dict[str | None, str] = {}
    taken = set[str]()
    for one in (*class_names, None):
        wanted = UNSURE if one is None else one if _is_safe(one) else plain_name(one, "class")
        numbered = (wanted if n == 1 else f"{wanted}-{n}" for n in count(1))
        name = next(name for name in numbered if _compared(name) not in taken)
        taken.add(_compared(name))
        names[one] = name
    return names


def _compared(name: str) -> str:
    """What systems that do not tell some letters apart compare."""
    return unicodedata.normalize("NFC", name).casefold()


def _is_safe(name: str) -> bool:
    """Whether a class's own name is the name of a folder on every system."""
    is_plain = printable(name) == name and not _UNSAFE & set(name)
    # A name that a system keeps to itself comes out longer, one that is too long shorter.
    is_free = len(plain_name(name, "")) <= len(name) <= _MOST_LETTERS
    return is_plain and is_free and name[:1] not in (".", " ") and name[-1:] not in (".", " ")


def _is_same(image: Path, target: Path) -> bool:
    """Whether the image is there already."""
    try:
        return target.is_file() and (
            target.samefile(image) or filecmp.cmp(image, target, shallow=False)
        )
    except OSError:
        return False
