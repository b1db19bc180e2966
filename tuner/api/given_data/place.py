"""Data in any form as a data set's name or path, which a command takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tuner.api.given_data.arrays import ClassNames, pair_of, words_of
from tuner.api.given_data.held_out import with_test
from tuner.api.given_data.kept_arrays import keep_arrays
from tuner.errors import ConfigurationError, DataError
from tuner.names import plain_name

_FORMS = (
    "give a data set's name, a path, (x, y), a DataFrame of path and label, or an iterable of"
    " batches."
)


def place_of(
    data: Any,
    *,
    validation_data: Any = None,
    test: Any = None,
    name: str = "arrays",
    class_names: ClassNames | None = None,
    data_root: Path,
) -> str:
    """The name or path of data; what is in memory is written to the data's folder once.

    Args:
        data: A name, a path, or `(x, y)`.
        validation_data: More of the same, which validates; None cuts it from `data`.
        test: More of the same, which tests; None cuts it from `data`.
        name: What data from memory are called.
        class_names: Names of classes, by number or label.
        data_root: Folder of the data.

    Raises:
        ConfigurationError: For parts beside a name or path, which brings its own.
        DataError: For data that cannot be images and labels.
    """
    others = {"validation_data": validation_data, "test": test, "class_names": class_names}
    if isinstance(data, str | os.PathLike):
        if given := [key for key, value in others.items() if value is not None]:
            raise ConfigurationError(
                f"{given[0]} is given beside {os.fspath(data)}, which brings its own",
                f"leave {given[0]} out, or give the images as arrays too.",
            )
        return os.fspath(data)
    if name != plain_name(name, "arrays"):
        raise ConfigurationError(
            f'name is "{name}", which is no name of a folder', "use letters, digits, - and _."
        )
    given_parts = {"train": data, "validation": validation_data, "test": test}
    parts = {
        part: _pair(one, f"{name}, {part}", class_names)
        for part, one in given_parts.items()
        if one is not None
    }
    return str(keep_arrays(with_test(parts), name, data_root))


def _pair(given: Any, where: str, class_names: ClassNames | None) -> Any:
    if isinstance(given, tuple | list):
        return pair_of(given, where, class_names)
    raise DataError(f"{where}: {words_of(given)} is not understood", _FORMS)
