"""NPZ files, and folders of NPY files, with arrays of images and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, get_args

from pydantic import Field, model_validator

from tuner.data.described import Described
from tuner.data.formats.loader import Loader, Sources
from tuner.data.left_out import LeftOut, fold, left_out
from tuner.data.splits.split_rules import MaybeRole, Role
from tuner.names import printable
from tuner.space.documents.validation import both_or_neither

if TYPE_CHECKING:
    from tuner.data.arrays.array_names import ArrayPair
    from tuner.data.images import Allocate, Images


@dataclass(slots=True, kw_only=True)
class _Labelled:
    """Images that have a label, over all arrays, in their order.

    Attributes:
        labels: As the arrays state them.
        parts: Of each image.
        origins: Where each image comes from.
        places: Where its label does.
        unlabelled: Where images without a label come from.
    """

    labels: list[str] = field(default_factory=list)
    parts: list[MaybeRole] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)

    def take(self, pair: ArrayPair, texts: Sequence[str], path: Path) -> list[int]:
        """Add the images of a pair of arrays, and return the rows of those that have a label."""
        from tuner.data.labels import is_label

        rows = [row for row, text in enumerate(texts) if is_label(text)]
        self.labels += [texts[row] for row in rows]
        self.parts += [pair.part] * len(rows)
        self.origins += [f"{pair.images}[{row}]" for row in rows]
        self.places += [f"{path.name}, {pair.labels}[{row}]" for row in rows]
        self.unlabelled += [
            f"{pair.images}[{row}]" for row, text in enumerate(texts) if not is_label(text)
        ]
        return rows


class Npz(Loader):
    """An NPZ, or a folder of NPY files: arrays of images and of their labels.

    Names in use are understood, such as x_train and y_train, or train_images and train_labels;
    others are named here.
    """

    type: Literal["npz"]
    path: str
    train_images: str | None = Field(default=None, description="name of the array")
    train_labels: str | None = None
    validation_images: str | None = None
    validation_labels: str | None = None
    test_images: str | None = None
    test_labels: str | None = None

    @model_validator(mode="after")
    def _parts_are_whole(self) -> Self:
        for part in get_args(Role):
            both_or_neither(self, f"{part}_images", f"{part}_labels")
        if self.train_images is None and (self.validation_images or self.test_images):
            raise ValueError("has no train_images. | name the array that trains.")
        return self

    def sources(self, card: Described, data_root: Path) -> Sources:
        """The file; or the folder, whose time changes with what is left out, and its arrays."""
        from tuner.data.arrays.array_file import npy_files

        path = data_root / self.path
        return Sources(paths=[path, *npy_files(path)] if path.is_dir() else [path])

    def read(self, card: Described, data_root: Path, allocate: Allocate) -> Images:
        """Map the arrays into memory, and bring them to 8 bits by one scale for all of them.

        Images without a label are left out, and arrays that belong to no images are named.

        Raises:
            DataError: If arrays are missing, or their shapes, types or values cannot be those of
                images and labels.
        """
        from tuner.data.arrays.array_checks import check_pair
        from tuner.data.arrays.array_file import map_array, open_arrays, shape_words
        from tuner.data.arrays.array_labels import label_texts
        from tuner.data.arrays.array_layout import image_layout
        from tuner.data.arrays.array_names import part_names
        from tuner.data.arrays.array_values import fill, find_ranges, only_deep
        from tuner.data.cache.cache_folder import cache_folder
        from tuner.data.images import make_images
        from tuner.data.labels import number_labels

        path, room = data_root / self.path, cache_folder(data_root)
        arrays = open_arrays(path)
        found = part_names(arrays, path, self._stated())
        for pair in found:
            check_pair(arrays, path, pair, card.image)
        # Before anything is unpacked: what the cache refuses would fill the disk.
        pixels = allocate(sum(arrays[pair.images].shape[0] for pair in found))
        used = dict.fromkeys(name for pair in found for name in (pair.images, pair.labels))
        values = {name: map_array(path, name, arrays[name], room) for name in used}
        ranges = find_ranges(
            ((pair.images, values[pair.images]) for pair in found), path, card.image
        )
        value_range = only_deep(ranges, path)
        read = _Labelled()
        for pair in found:
            texts = label_texts(values[pair.labels], f"{path.name}, {pair.labels}")
            before, rows = len(read.labels), read.take(pair, texts, path)
            out = pixels[before : before + len(rows)]
            layout = image_layout(arrays[pair.images], pair.images)
            fill(out, rows, values[pair.images], layout, ranges, card.image)
        translated = number_labels(card, read.labels, read.places)
        unused = [
            f"{printable(name)} ({shape_words(array.shape) or 'one value'})"
            for name, array in arrays.items()
            if name not in used
        ]
        return make_images(
            name=card.name,
            images=pixels[: len(read.labels)],
            labels=translated.numbers,
            parts=read.parts,
            origins=read.origins,
            class_names=translated.names,
            value_range=value_range,
            left_out=(
                *left_out("without a label", read.unlabelled, "image"),
                *left_out("neither images with labels nor labels", unused, "array"),
                *(_other_files(path) if path.is_dir() else ()),
            ),
        )

    def _stated(self) -> list[ArrayPair]:
        """The pairs that a card names; a single one is of no part."""
        from tuner.data.arrays.array_names import ArrayPair

        named: dict[Role, tuple[str | None, str | None]] = {
            "train": (self.train_images, self.train_labels),
            "validation": (self.validation_images, self.validation_labels),
            "test": (self.test_images, self.test_labels),
        }
        given = {part: both for part, both in named.items() if None not in both}
        return [
            ArrayPair(part=part if len(given) > 1 else "", images=str(images), labels=str(labels))
            for part, (images, labels) in given.items()
        ]


def _other_files(folder: Path) -> tuple[LeftOut, ...]:
    """What lies beside the arrays of a folder."""
    from tuner.data.arrays.array_file import npy_files
    from tuner.data.folders.tree import scan

    tree, arrays = scan(folder), {path.name for path in npy_files(folder)}
    others = [printable(name) for name in tree.files() if name not in arrays]
    return (*left_out("not arrays that are read", others, "file"), *fold(tree.all_aside()))
