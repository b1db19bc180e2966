"""Array CSVs: one image per row, and a file with one label per row.

The values are in the order height, width, channel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import model_validator

from tuner.data.described import Described
from tuner.data.formats.loader import Loader, Sources
from tuner.data.splits.split_rules import MaybeRole
from tuner.errors import DataError
from tuner.space.documents.validation import both_or_neither

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tuner.data.decoding.value_range import ValueRange
    from tuner.data.images import Allocate, Images

# Labels that are read beyond what the images' file has room for.
_SOME_MORE = 1000

_SEPARATOR = ","


class ArrayCsv(Loader):
    """CSVs without header: a row of values per image, and a file of labels.

    The values are in the order height, width, channel.
    """

    type: Literal["array_csv"]
    train_images: str
    train_labels: str
    test_images: str | None = None
    test_labels: str | None = None

    path_keys: ClassVar[tuple[str, ...]] = (
        "train_images",
        "train_labels",
        "test_images",
        "test_labels",
    )

    @model_validator(mode="after")
    def _test_part_is_whole(self) -> Self:
        both_or_neither(self, "test_images", "test_labels")
        return self

    def sources(self, card: Described, data_root: Path) -> Sources:
        """The files."""
        return Sources(paths=[data_root / name for _, *pair in self._pairs() for name in pair])

    def read(self, card: Described, data_root: Path, allocate: Allocate) -> Images:
        """Parse the files. Where any value is a fraction, all are read by one scale.

        Raises:
            DataError: For the first row that cannot be used, or where images and labels differ in
                number.
        """
        from tuner.data.images import make_images
        from tuner.data.labels import number_labels
        from tuner.data.tables.pixel_text import FractionError, range_of_texts

        labels: list[str] = []
        parts: list[MaybeRole] = []
        places: list[str] = []
        sizes: list[int] = []
        n_values = math.prod(card.image.shape)
        for part, image_name, label_name in self._pairs():
            # A value takes a digit and what separates it. A few too many are told below, in more
            # detail.
            most = (data_root / image_name).stat().st_size // (2 * n_values) + _SOME_MORE
            given = list(islice(_lines(data_root / label_name), most + 1))
            if len(given) > most:
                raise DataError(
                    f"{Path(label_name).name} has over {most:,} labels, more than"
                    f" {Path(image_name).name} can hold images",
                    "give one label for each image; download both again.",
                )
            sizes.append(len(given))
            labels.extend(text.strip() for _, text in given)
            places.extend(f"{Path(label_name).name}, line {line}" for line, _ in given)
            parts.extend([part] * len(given))
        pixels = allocate(len(labels))
        stated = card.image.value_range
        value_range = None if stated is None else (stated[0], stated[1])
        try:
            origins = self._read_images(data_root, sizes, pixels, value_range)
        except FractionError:
            paths = [data_root / image_name for _, image_name, _ in self._pairs()]
            texts = ((text, _SEPARATOR) for path in paths for _, text in _lines(path))
            value_range = range_of_texts(texts, n_values, paths[0].name)
            origins = self._read_images(data_root, sizes, pixels, value_range)
        translated = number_labels(card, labels, places)
        return make_images(
            name=card.name,
            images=pixels,
            labels=translated.numbers,
            parts=parts,
            origins=origins,
            class_names=translated.names,
            value_range=None if value_range == (0.0, 255.0) else value_range,
        )

    def _read_images(
        self,
        data_root: Path,
        sizes: Sequence[int],
        out: NDArray[np.uint8],
        value_range: ValueRange | None,
    ) -> list[str]:
        """Read the images of all parts, and return where each of them stands."""
        origins: list[str] = []
        for n, (_, image_name, label_name) in zip(sizes, self._pairs(), strict=True):
            path, start = data_root / image_name, len(origins)
            lines = _read_lines(path, Path(label_name).name, out[start : start + n], value_range)
            origins.extend(f"{path.name}, line {line}" for line in lines)
        return origins

    def _pairs(self) -> list[tuple[MaybeRole, str, str]]:
        """Part, file of images and file of labels."""
        if self.test_images is None or self.test_labels is None:
            return [("", self.train_images, self.train_labels)]
        return [
            ("train", self.train_images, self.train_labels),
            ("test", self.test_images, self.test_labels),
        ]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines with their numbers, from 1; blank ones are passed over."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line, text in enumerate(file, start=1):
                if text.strip():
                    yield line, text
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _read_lines(
    path: Path, label_file: str, out: NDArray[np.uint8], value_range: ValueRange | None
) -> list[int]:
    """Read line by line, and return the lines' numbers.

    The text is several times larger than the images.
    """
    from tuner.data.tables.pixel_text import parse_pixels

    lines: list[int] = []
    for line, text in _lines(path):
        if len(lines) < len(out):
            parse_pixels(
                text,
                separator=_SEPARATOR,
                out=out[len(lines)],
                where=f"{path.name}, line {line}",
                value_range=value_range,
            )
        lines.append(line)
    if len(lines) != len(out):
        raise DataError(
            f"{path.name} has {len(lines):,} rows, but {label_file} has {len(out):,}",
            "give one label for each image; download both again.",
        )
    return lines


def _unreadable(path: Path, error: OSError | UnicodeDecodeError) -> DataError:
    reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
    return DataError(
        f"{path.name}: cannot be read: {reason}", "check the file, or download it again."
    )
