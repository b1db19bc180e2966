"""The files of class folders: which class and part each belongs to, and what is left out."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tuner.data.folders.file_names import class_of
from tuner.data.folders.tree import Folder
from tuner.data.left_out import (
    BESIDE,
    NO_CLASS,
    NO_IMAGES,
    NO_PART,
    SYSTEM,
    UNNAMED,
    Aside,
    LeftOut,
    fold,
)
from tuner.data.splits.split_rules import MaybeRole, Role
from tuner.errors import DataError
from tuner.names import printable

# How folders that are no plain class folders are arranged; `ClassFolders` says what each means.
LayoutKind = Literal["parts_in_classes", "file_names"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFile:
    """One file.

    Attributes:
        path: Where it lies.
        part: Role of its part; empty where the data give none.
        label: What the data call its class: the folder's name, or the beginning of the file's.
        below: Its path from the part's folder on.
        origin: Its path from the folder of the parts on, as it can be shown.
        is_other: Whether its name says that it is no image, so that it counts only if it is one by
            its content.
    """

    path: str
    part: MaybeRole
    label: str
    below: str
    origin: str
    is_other: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFiles:
    """What is known before any file is opened.

    Attributes:
        files: In the order part, class, file name.
        aside: What cannot be used, whatever is in it.
    """

    files: list[ClassFile]
    aside: tuple[Aside, ...]

    def left_out(self, used: Collection[str]) -> tuple[LeftOut, ...]:
        """What is not used, by reason.

        A file that is no image by its name counts unless its origin is among `used`.
        """
        known = frozenset(used)
        others = (file for file in self.files if file.is_other and file.origin not in known)
        return fold([*self.aside, *(Aside(NO_IMAGES, file.origin, 1) for file in others)])


def list_files(
    name: str,
    tree: Folder,
    root: Path,
    *,
    roles: Mapping[str, Role],
    top: str,
    layout: LayoutKind | None,
) -> ClassFiles:
    """Find each file's class and part.

    Args:
        name: Of the data set, for messages.
        tree: What is in the root.
        root: The card's folder.
        roles: The role of each part's folder, by its name; empty where there are no parts.
        top: Folder in the root that holds the classes or parts; empty for the root itself.
        layout: How the folders are arranged, as `ClassFolders` says.

    Raises:
        DataError: If a folder that the card names is missing, a class is empty, or there is no
            class.
    """
    return _Lister(name, tree, root, roles, top, layout).listed()


class _Lister:
    """One listing; what it finds is kept until it is whole."""

    def __init__(
        self,
        name: str,
        tree: Folder,
        root: Path,
        roles: Mapping[str, Role],
        top: str,
        layout: LayoutKind | None,
    ) -> None:
        """Take what `list_files` takes."""
        self._name, self._layout, self._root, self._tree = name, layout, root, tree
        self._roles: Mapping[str, MaybeRole] = roles or {"": ""}
        self._has_parts = bool(roles)
        self._files: list[ClassFile] = []
        # By their paths: folders that are looked into, those whose files are used, and those of
        # classes.
        self._levels = {""}
        self._named: set[str] = set()
        self._classes: set[str] = set()
        self._top = self._level(tree, top)

    def listed(self) -> ClassFiles:
        """All files."""
        for part, role in self._roles.items():
            if self._layout == "parts_in_classes":
                self._add_part_of_classes(part, role)
            elif self._layout == "file_names":
                self._add_named(self._level(self._top, part), role, part)
            else:
                self._add_classes(self._level(self._top, part), role, part)
        if all(file.is_other for file in self._files):
            raise DataError(
                f"{self._name}: there are no class folders in {self._root}",
                "put each class's images into a folder of its own.",
            )
        return ClassFiles(files=self._files, aside=tuple(self._aside(self._tree)))

    def _level(self, folder: Folder, path: str) -> Folder:
        """The folder at a path, all of whose files must be accounted for one by one."""
        found = folder
        for name in [name for name in path.split("/") if name not in ("", ".")]:
            below = found.at(name)
            if below is None:
                raise DataError(
                    f"{self._name}: there is no folder {path} in {self._root}",
                    "check the download, or correct the names under splits in the card.",
                )
            found = below
            self._levels.add(found.below)
        return found

    def _add_classes(self, level: Folder, role: MaybeRole, part: str) -> None:
        n_before = len(self._files)
        for folder in level.folders:
            if not folder.name.startswith("__"):
                self._add_class(folder, folder.name, role, len(level.below), part)
        if part and len(self._files) == n_before:
            raise DataError(
                f'{self._name}: the folder of the part "{printable(part)}" has no class folders'
                " with images",
                "put each class's images into a folder of its own there; or leave the part out of"
                " splits.",
            )

    def _add_part_of_classes(self, part: str, role: MaybeRole) -> None:
        for folder in self._top.folders:
            found = folder.at(part)
            if found is not None and not folder.name.startswith("__"):
                self._levels.add(folder.below)
                self._add_class(found, folder.name, role, len(self._top.below), "")

    def _add_class(
        self, folder: Folder, label: str, role: MaybeRole, n_above: int, part: str
    ) -> None:
        if folder.failure:
            raise DataError(
                f'{self._name}: the folder of class "{printable(label)}" cannot be opened:'
                f" {folder.failure}",
                "allow reading it, or move it elsewhere.",
            )
        if not folder.n_images and not any(inner.others for inner in folder.walk()):
            shown = f"{part}/{label}" if part else label
            raise DataError(
                f'{self._name}: the folder of class "{printable(shown)}" is empty',
                "put its images there, or delete the folder.",
            )
        if folder.n_images:
            self._classes.add(folder.below)
            for inner in folder.walk():
                self._add_files(inner, label, role, n_above, part)

    def _add_named(self, level: Folder, role: MaybeRole, part: str) -> None:
        self._named.add(level.below)
        self._add_files(level, None, role, len(level.below), part)

    def _add_files(
        self, folder: Folder, label: str | None, role: MaybeRole, n_above: int, part: str
    ) -> None:
        others = frozenset(folder.others)
        here = folder.below[n_above:]
        start = f"{self._root}{os.sep}{folder.below}"
        prefix = f"{part}/{here}" if part else here
        for name in sorted((*folder.images, *others)) if others else folder.images:
            found = class_of(name) if label is None else label
            if found:
                self._files.append(
                    ClassFile(
                        path=start + name,
                        part=role,
                        label=found,
                        below=here + name,
                        origin=printable(prefix + name),
                        is_other=name in others,
                    )
                )

    def _aside(self, folder: Folder) -> Iterator[Aside]:
        """What is not used of a folder and all below it."""
        shown = printable(folder.below)
        if folder.failure or folder.below in self._classes:
            yield from folder.all_aside()
        elif folder.below in self._levels:
            yield from self._loose(folder)
            yield from folder.aside
            for inner in folder.folders:
                yield from self._aside(inner)
        elif n_files := folder.n_files():
            yield Aside(self._reason(folder), shown, n_files)

    def _loose(self, level: Folder) -> Iterator[Aside]:
        """Files of a folder that is looked into, but those whose names tell their classes."""
        is_read = level.below in self._named
        for reason, names in (
            (UNNAMED if is_read else NO_CLASS, level.images),
            (NO_IMAGES, level.others),
        ):
            for name in names:
                if not (is_read and class_of(name)):
                    yield Aside(reason, printable(level.below + name), 1)

    def _reason(self, folder: Folder) -> str:
        if folder.name.startswith("__"):
            return SYSTEM
        if not folder.n_images:
            return NO_IMAGES
        if not _holds_folders(folder):
            return NO_CLASS
        return NO_PART if self._has_parts else BESIDE


def _holds_folders(folder: Folder) -> bool:
    """Whether there are class folders in it, perhaps behind some that hold nothing else."""
    inside = folder.with_images()
    while len(inside) == 1 and not folder.images:
        folder = inside[0]
        inside = folder.with_images()
    return bool(inside)
