"""Data in any form as a data set's name or path, which a command takes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tuner.api.given_data.arrays import ClassNames, pair_of, with_names, words_of
from tuner.api.given_data.batches import is_batches, read_batches
from tuner.api.given_data.frames import is_frame, keep_frames, read_parquet
from tuner.api.given_data.held_out import with_test
from tuner.api.given_data.kept_arrays import Part, check_parts, keep_arrays
from tuner.data.own.resolve import own_path
from tuner.errors import ConfigurationError, DataError
from tuner.names import plain_name

NAME = "arrays"
_FORMS = (
    "give a data set's name, a path, (x, y), a DataFrame of path and label, or an iterable of"
    " batches."
)


def place_of(
    data: Any,
    *,
    validation_data: Any = None,
    test: Any = None,
    name: str = NAME,
    class_names: ClassNames | None = None,
    data_root: Path,
) -> str:
    """The name or path of data; what is in memory is written to the data's folder once.

    Args:
        data: A name, a path, `(x, y)`, a DataFrame, or an iterable of batches.
        validation_data: More of the same, which validates; None cuts it from `data`.
        test: More of the same, which tests; None cuts it from `data`.
        name: What data from memory are called; a Parquet file is called as its file by default, and
            other files always are.
        class_names: Names of classes, by number or label.
        data_root: Folder of the data.

    Raises:
        ConfigurationError: For parts beside a name or path, which brings its own.
        DataError: For data that cannot be images and labels.
    """
    parts = {"train": data, "validation": validation_data, "test": test}
    parts = {part: one for part, one in parts.items() if one is not None}
    if isinstance(data, str | os.PathLike):
        path = own_path(os.fspath(data), data_root)
        if path.suffix.lower() != ".parquet":
            _refuse_others([*parts][1:], name, class_names, path)
            return os.fspath(data)
        parts, base = {**parts, "train": read_parquet(path)}, path.parent
        name = plain_name(path.stem, NAME) if name == NAME else name
    else:
        base = Path.cwd()
    if name != plain_name(name, NAME):
        raise ConfigurationError(
            f'name is "{name}", which cannot be the name of a folder',
            f"use lower-case letters, digits, - and _, such as {plain_name(name, NAME)}.",
        )
    if data is None:
        raise DataError(f"{name}: no data were given", _FORMS)
    if all(is_frame(one) for one in parts.values()):
        kept = keep_frames(parts, name, data_root, base=base, class_names=class_names)
        return str(kept)
    pairs = {
        part: _pair(one, f"{name}, {part}", class_names, data_root) for part, one in parts.items()
    }
    check_parts(pairs, name, data_root)
    return str(keep_arrays(with_test(pairs, name), name, data_root))


def _refuse_others(parts: list[str], name: str, class_names: ClassNames | None, path: Path) -> None:
    keywords = {"validation": "validation_data", "test": "test"}
    given = [keywords[part] for part in parts] + ["class_names"] * (class_names is not None)
    given += ["name"] * (name != NAME)
    if given:
        raise ConfigurationError(
            f"{given[0]} is given, but {path} has its own",
            f"leave {given[0]} out, or give the images as arrays too.",
        )


def _pair(given: Any, where: str, class_names: ClassNames | None, data_root: Path) -> Part:
    if isinstance(given, tuple | list):
        return pair_of(given, where, class_names)
    if isinstance(given, np.ndarray):
        raise DataError(
            f"{where}: the labels of {words_of(given)} are missing", "give a pair, (x, y)."
        )
    if is_frame(given) or isinstance(given, Mapping) or not is_batches(given):
        raise DataError(f"{where}: {words_of(given)} is not supported here", _FORMS)
    images, labels = read_batches(given, where, data_root)
    return images, labels if class_names is None else with_names(labels, class_names, where)
