"""The images that a command line names: files, folders, patterns, lists, and web addresses."""

from __future__ import annotations

import csv
import glob
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuner.data.folders.tree import IMAGE_SUFFIXES, Folder, scan
from tuner.errors import ConfigurationError
from tuner.names import text_of_cell
from tuner.store.prediction_file import COLUMNS

_ADDRESSES = ("http://", "https://")
# Columns of a list that may hold the paths; the last is that of our own predictions.
_COLUMNS_OF_PATHS = ("path", "file", "filename", "image")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedImage:
    """One image.

    Attributes:
        name: Its path as it was given, or below the folder that was; or its address.
        is_meant: Whether it was named itself, or has an image's suffix.
        folder: The folder that was given; None for an image that was named itself.
    """

    name: str
    is_meant: bool = True
    folder: Path | None = None

    @property
    def is_address(self) -> bool:
        """Whether it must be downloaded."""
        return is_address(self.name)


def is_address(name: str) -> bool:
    """Whether a name is a web address, and no path."""
    return name.lower().startswith(_ADDRESSES)


def named_images(names: Iterable[str]) -> Iterator[NamedImage]:
    """The images in the order given; those below a folder sorted, and without hidden ones.

    Args:
        names: Files, folders, patterns such as `new/*.jpg`, CSV files with a column of paths, and
            web addresses. What is there goes before a pattern.

    Raises:
        ConfigurationError: If a list of paths cannot be read, or has no column of paths.
    """
    for name in names:
        if is_address(name):
            yield NamedImage(name=name)
            continue
        for path in meant_paths(name):
            if _is_list(path):
                yield from listed_images(_listed(path))
            else:
                yield from _of_path(path)


def meant_paths(name: str) -> list[Path]:
    """What a file's name or a pattern stands for: what is there goes before a pattern."""
    path = Path(name)
    return [path] if _exists(path) else _matching(name) or [path]


def listed_images(lines: Iterable[str]) -> Iterator[NamedImage]:
    """The images of a list: files, folders and addresses, each taken for what it says."""
    for line in lines:
        if is_address(line):
            yield NamedImage(name=line)
        else:
            yield from _of_path(Path(line))


def _matching(pattern: str) -> list[Path]:
    # Path.glob takes no pattern of an absolute path.
    names = glob.glob(pattern, recursive=True) if glob.has_magic(pattern) else []  # noqa: PTH207
    return sorted(map(Path, names))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        # Too long for a name, or with a zero byte: decoding says so.
        return False


def _is_list(path: Path) -> bool:
    return path.suffix.lower() == ".csv" and _exists(path) and path.is_file()


def _of_path(path: Path) -> Iterator[NamedImage]:
    try:
        is_folder = path.is_dir()
    except (OSError, ValueError):
        is_folder = False
    if not is_folder:
        yield NamedImage(name=str(path))
        return
    files = [
        path / f"{folder.below}{name}" for folder in scan(path).walk() for name in _names(folder)
    ]
    # An empty folder stands for itself, so that it is not passed over.
    for file in files or [path]:
        # Of a folder's files, what has no image's suffix and cannot be read is no broken image.
        is_meant = file.suffix[1:].lower() in IMAGE_SUFFIXES
        yield NamedImage(name=str(file), is_meant=is_meant or not files, folder=path)


def _names(folder: Folder) -> list[str]:
    return sorted([*folder.images, *folder.others])


def _listed(path: Path) -> Iterator[str]:
    """The paths of a CSV; one that is not there may lie beside the CSV."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, ValueError, csv.Error) as error:
        raise ConfigurationError(
            f"{path}: cannot be read as a list of paths: {error}", "give a CSV in UTF-8."
        ) from error
    if not rows:
        raise ConfigurationError(f"{path}: the list is empty", "give a path on each line.")
    column, has_header = _column(rows[0], path)
    is_own = tuple(rows[0][: len(COLUMNS)]) == COLUMNS
    for row in rows[has_header:]:
        cell = row[column] if column < len(row) else ""
        # Our own predictions hold names as they are, but for what spreadsheets take for formulas.
        cell = text_of_cell(cell) if is_own else cell.strip()
        if cell:
            beside = path.parent / cell
            is_beside = not (is_address(cell) or _exists(Path(cell))) and _exists(beside)
            yield str(beside) if is_beside else cell


def _column(first: Sequence[str], path: Path) -> tuple[int, bool]:
    """Which column holds the paths, and whether the first row is a header."""
    names = [cell.strip().lower() for cell in first]
    for wanted in _COLUMNS_OF_PATHS:
        if wanted in names:
            return names.index(wanted), True
    if len(names) == 1:
        return 0, False
    raise ConfigurationError(
        f"{path}: no column holds the paths of the images",
        f"name the column of paths `path`; its columns are {', '.join(first)}.",
    )
