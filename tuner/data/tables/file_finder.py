"""The file that a table means by a name."""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path, PurePosixPath

from tuner.data.folders.part_names import role_of
from tuner.errors import DataError

# Beside images of the same name these are something else, such as a description.
_NO_IMAGES = frozenset({".txt", ".xml", ".json", ".csv", ".npy", ".yaml", ".yml", ".md", ".mat"})


_MOST_FOLDERS = 20


class FileFinder:
    """Finds files below a folder.

    Names may lack their suffix, as in `id,breed`, and the folder, as where a download has spread
    its images over `images_part_1` and `images_part_2`; one file only may fit.
    """

    def __init__(self, root: Path) -> None:
        """Take the folder; each folder below is listed once, when a name asks for it."""
        self._root = os.fspath(root)
        self._stems: dict[str, dict[str, list[str]]] = {}
        self._names: dict[str, set[str]] = {}

    def path(self, name: str) -> str | None:
        """Where the file is.

        None where none or several match, or the name leads out of the folder.
        """
        below = plain_name(name)
        if below is None:
            return None
        folder, _, last = below.rpartition("/")
        place = f"{self._root}{os.sep}{folder}" if folder else self._root
        found = self._in(place, last)
        if found is None and not folder:
            inside = [one for place in self._inside if (one := self._in(place, last))]
            found = inside[0] if len(inside) == 1 else None
        return found

    def _in(self, place: str, last: str) -> str | None:
        """The file of a folder that a name without folders means."""
        if place not in self._names:
            self._list(place)
        if last in self._names[place]:
            return f"{place}{os.sep}{last}"
        alike = self._stems[place].get(last, [])
        return f"{place}{os.sep}{alike[0]}" if len(alike) == 1 else None

    @cached_property
    def _inside(self) -> list[str]:
        """Folders that may share the root's files.

        Those of parts would give another image's label.
        """
        try:
            with os.scandir(self._root) as found:
                names = sorted(entry.name for entry in found if entry.is_dir())
        except OSError:
            return []
        return [
            f"{self._root}{os.sep}{name}"
            for name in names[:_MOST_FOLDERS]
            if not name.startswith((".", "__")) and not any(map(role_of, re.split(r"[\W_]+", name)))
        ]

    def _list(self, place: str) -> None:
        names, stems = self._names.setdefault(place, set()), self._stems.setdefault(place, {})
        try:
            with os.scandir(place) as found:
                entries = sorted(entry.name for entry in found if not entry.is_dir())
        except (OSError, ValueError):
            return  # No such folder.
        for name in entries:
            names.add(name)
            stem, suffix = os.path.splitext(name)  # noqa: PTH122 - for as many as there may be
            if suffix and suffix.lower() not in _NO_IMAGES:
                stems.setdefault(stem, []).append(name)

    @property
    def folders(self) -> list[str]:
        """The folders that names have led to, sorted."""
        return sorted(place for place, names in self._names.items() if names)


def plain_name(name: str) -> str | None:
    """A relative path with `/`; None for an empty one, and for one that leads out of its folder."""
    text = name.strip().replace("\\", "/")
    path = PurePosixPath(text)
    if "\0" in text or not path.parts or path.is_absolute() or ".." in path.parts:
        return None
    return None if ":" in path.parts[0] else path.as_posix()


def refuse_outside(name: str, where: str) -> None:
    """Make sure that a name stays below its folder.

    Raises:
        DataError: If it leads elsewhere; with `where`.
    """
    text = name.strip().replace("\\", "/")
    if text and plain_name(name) is None:
        shown = "".join(letter if letter.isprintable() else "?" for letter in text[:80])
        raise DataError(
            f"{where}: {shown} leads out of the data's folder",
            "write paths relative to the table's folder, without a drive, a leading / or ..",
        )
