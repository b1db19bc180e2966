"""A folder as it is found: images by their names, other files, and what is not to be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tuner.data.left_out import DANGLING, LOOP, OWN, SYSTEM, TOO_DEEP, Aside
from tuner.names import printable

_SYSTEM_FILES = frozenset(
    {"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r"}
)
_SYSTEM_FOLDERS = frozenset(
    {
        "__macosx",
        "__pycache__",
        "@eadir",
        "#recycle",
        "$recycle.bin",
        "system volume information",
        "lost+found",
    }
)
_TOOLS_FOLDERS = frozenset({"datasets", "reports", "search_spaces"})
# Python's recursion has a limit, and no data set is so deep.
_MOST_LEVELS = 64

# What else may be an image, its beginning says.
IMAGE_SUFFIXES = frozenset(
    {
        "jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "gif", "webp", "bmp", "dib", "tif",
        "tiff", "ppm", "pgm", "pbm", "pnm", "avif", "avifs", "heic", "heif", "hif", "jp2", "jxl",
        "ico", "tga", "svg", "psd", "raw", "dng", "cr2", "nef", "arw", "dcm", "exr",
    }
)  # fmt: skip
_SNIFFED = 5
_STARTS = (
    b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"BM", b"P4",
    b"P5", b"P6",
)  # fmt: skip

# Device and number of each folder on the way from the top.
Ancestors = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder; paths are relative to the top of the tree, with `/`.

    Attributes:
        name: Its own name.
        below: Its path, with a `/` at the end; empty for the top.
        images: Names of files that are images by their names, sorted; where there are none, of all
            if some of the others begin like images.
        others: All other names, sorted. The content of some may say otherwise.
        folders: Sorted by name.
        aside: What nobody means to be read, such as hidden files.
        n_images: Files that may be images, in all folders below too.
        failure: Why it could not be opened; empty where it could.
    """

    name: str
    below: str
    images: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    folders: tuple[Folder, ...] = ()
    aside: tuple[Aside, ...] = ()
    n_images: int = 0
    failure: str = ""

    def with_images(self) -> list[Folder]:
        """The sub-folders that hold what may be an image."""
        return [folder for folder in self.folders if folder.n_images]

    def at(self, path: str) -> Folder | None:
        """The folder at a path below this one; None where there is none."""
        found: Folder | None = self
        for name in path.split("/"):
            if found is not None and name not in ("", "."):
                found = next((folder for folder in found.folders if folder.name == name), None)
        return found

    def walk(self) -> Iterator[Folder]:
        """This folder and all below it, each before what is in it."""
        yield self
        for folder in self.folders:
            yield from folder.walk()

    def files(self) -> Iterator[str]:
        """The paths of all files that may be read, sorted within each folder."""
        for folder in self.walk():
            yield from (folder.below + name for name in sorted((*folder.images, *folder.others)))

    def all_aside(self) -> Iterator[Aside]:
        """What nobody means to be read, and folders that cannot be opened, at any depth."""
        for folder in self.walk():
            yield from folder.aside
            if folder.failure:
                yield Aside(
                    f"since it cannot be opened ({folder.failure})", printable(folder.below), 0
                )

    def n_files(self) -> int:
        """Files in all folders below, what nobody means to be read included."""
        return sum(
            len(folder.images) + len(folder.others) + sum(aside.n_files for aside in folder.aside)
            for folder in self.walk()
        )


def scan(root: Path) -> Folder:
    """List a folder and all below it; links to folders are followed, but never in a circle.

    A folder that cannot be opened is empty, and says why.
    """
    found = _Scan(root).folder(str(root), "", "", ())
    assert found is not None  # It is no folder above itself.
    return found


def looks_like_image(path: str) -> bool:
    """Whether a file begins as images do; what is not a plain file never does."""
    try:
        if not os.path.isfile(path):  # noqa: PTH113 - stays text; a pipe would wait for ever
            return False
        with open(path, "rb") as file:
            head = file.read(16)
    except OSError:
        return False
    is_box = head[4:8] == b"ftyp" and head[8:11] in (b"avi", b"hei", b"hev", b"mif", b"msf")
    return is_box or head.startswith(_STARTS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


class _Scan:
    """One listing of a folder."""

    def __init__(self, root: Path) -> None:
        """Take the top."""
        self._root = root
        # Folders that a link has led to, so that crafted links cannot multiply what is read.
        self._linked: set[tuple[int, int]] = set()
        self._above = _identities_above(root)

    def folder(self, path: str, name: str, below: str, ancestors: Ancestors) -> Folder | None:
        """One folder and all below it; None where a link has led back to it."""
        try:
            identity = _identity(path)
            if identity in ancestors or identity in self._above:
                return None
            with os.scandir(path) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            return Folder(name=name, below=below, failure=error.strerror or "it cannot be read")
        ancestors = (*ancestors, identity)
        images: list[str] = []
        others: list[str] = []
        folders: list[Folder] = []
        aside: list[Aside] = []
        for entry in entries:
            if _is_folder(entry):
                found = self._entered(entry, f"{below}{entry.name}/", ancestors)
                aside.append(found) if isinstance(found, Aside) else folders.append(found)
            elif entry.name.startswith(".") or entry.name.lower() in _SYSTEM_FILES:
                aside.append(Aside(SYSTEM, printable(below + entry.name), 1))
            elif entry.name.rpartition(".")[2].lower() in IMAGE_SUFFIXES:
                images.append(entry.name)
            elif entry.is_symlink() and not os.path.exists(entry.path):  # noqa: PTH110 - stays text
                aside.append(Aside(DANGLING, printable(below + entry.name), 1))
            else:
                others.append(entry.name)
        if not images and any(
            looks_like_image(f"{path}{os.sep}{other}") for other in others[:_SNIFFED]
        ):
            images, others = others, []
        return Folder(
            name=name,
            below=below,
            images=tuple(images),
            others=tuple(others),
            folders=tuple(folders),
            aside=tuple(aside),
            n_images=len(images) + sum(folder.n_images for folder in folders),
        )

    def _entered(self, entry: os.DirEntry[str], below: str, ancestors: Ancestors) -> Folder | Aside:
        shown = printable(below)
        if entry.name.startswith(".") or entry.name.lower() in _SYSTEM_FOLDERS:
            return Aside(SYSTEM, shown, count_files(entry.path))
        if len(ancestors) == 1 and _is_made_by_tuner(entry, self._root):
            return Aside(OWN, shown, count_files(entry.path))
        if len(ancestors) > _MOST_LEVELS:
            return Aside(TOO_DEEP, shown, count_files(entry.path))
        found = (
            None
            if self._is_second_link(entry)
            else self.folder(entry.path, entry.name, below, ancestors)
        )
        return Aside(LOOP, shown, 0) if found is None else found

    def _is_second_link(self, entry: os.DirEntry[str]) -> bool:
        """Whether a link leads to where another has led."""
        if not entry.is_symlink():
            return False
        identity = _identity(entry.path)
        is_known = identity in self._linked
        self._linked.add(identity)
        return is_known


def count_files(path: str) -> int:
    """Files below a folder; links to folders are not followed."""
    return sum(len(names) for _, _, names in os.walk(path))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _identity(path: str) -> tuple[int, int]:
    status = os.stat(path)  # noqa: PTH116 - stays text
    return status.st_dev, status.st_ino


def _identities_above(root: Path) -> frozenset[tuple[int, int]]:
    """The folders that hold the top: a link to one of them leads to everything there is."""
    found = set()
    for parent in root.resolve().parents:
        try:
            found.add(_identity(str(parent)))
        except OSError:
            continue
    return frozenset(found)


def _is_made_by_tuner(entry: os.DirEntry[str], root: Path) -> bool:
    """Whether it is one of the tool's own folders: reports, caches, cards or spaces."""
    path = Path(entry.path)
    try:
        if any(file.suffix[1:].lower() in IMAGE_SUFFIXES for file in path.iterdir()):
            return False
        if entry.name in _TOOLS_FOLDERS and root.resolve() == Path.cwd():
            return True
        marks = ("*/data.html", "*/*/config.yaml", ".cache", "data/.cache", ".unpacked")
        return any(next(path.glob(mark), None) is not None for mark in marks)
    except OSError:
        return False
