"""Data frames that name image files and their labels, as a CSV beside a link to the images."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner.api.given_data.arrays import ClassNames
from tuner.api.given_data.held_out import drawn_share
from tuner.api.given_data.kept_arrays import FOLDER
from tuner.data.own import columns
from tuner.data.own.list_card import FILE_COLUMNS
from tuner.errors import DataError
from tuner.extras import install_line
from tuner.store.files.whole_files import write_text

_HEADER = ("path", "label", "split", "group")


def is_frame(given: Any) -> bool:
    """Whether it is a table with columns, such as that of pandas; it is imported already if so."""
    return all(hasattr(given, name) for name in ("columns", "to_csv", "iloc"))


def read_parquet(path: Path) -> Any:
    """The frame of a Parquet file.

    Raises:
        DataError: If it cannot be read, or pandas lacks the package for it.
    """
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except ImportError as error:
        raise DataError(
            f"{path}: pandas needs a package to read Parquet",
            f"{install_line('parquet')}, or save the table as CSV.",
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: it cannot be read as Parquet: {error}", "check the file, or save it as CSV."
        ) from error


def keep_frames(
    frames: Mapping[str, Any],
    name: str,
    data_root: Path,
    *,
    base: Path,
    class_names: ClassNames | None = None,
) -> Path:
    """Write a CSV of all parts, unless the same one is there already.

    Args:
        frames: By part: `train`, `validation`, `test`; each with columns of paths and labels. The
            only one may have a column of its own that names the parts, and one of groups.
        name: What the data set is called.
        data_root: Folder of the data.
        base: Folder that relative paths start from.
        class_names: Name of each class, by number or label; None keeps the labels.

    Returns:
        The CSV.

    Raises:
        DataError: If a column is missing, or a file is.
        OSError: If it cannot be written.
    """
    rows = [
        row
        for part, frame in frames.items()
        for row in _rows(frame, f"{name}, {part}", part if len(frames) > 1 else "")
    ]
    rows = _with_test(rows) if "validation" in frames and "test" not in frames else rows
    root, rows = _below_one_root(rows, name, base)
    rows = [(path, _named(label, class_names), *others) for path, label, *others in rows]
    used = [at for at, _ in enumerate(_HEADER) if at < 2 or any(row[at] for row in rows)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [row[at] for at in used] for row in [_HEADER, *rows]
    )
    digest = hashlib.sha256(f"{root}\n{text.getvalue()}".encode("utf-8", "backslashreplace"))
    path = data_root / FOLDER / digest.hexdigest()[:16] / f"{name}.csv"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        _link(path.parent / "images", root)
        write_text(path, text.getvalue())
    return path


def _rows(frame: Any, where: str, part: str) -> list[tuple[str, ...]]:
    header = [str(one) for one in frame.columns]
    named = [at for at, one in enumerate(header) if columns.plain(one) in FILE_COLUMNS]
    file = min(named, key=lambda at: FILE_COLUMNS.index(columns.plain(header[at])), default=None)
    others = [at for at in range(len(header)) if at != file]
    split, group = columns.usage_at(header, others), columns.group_at(header, others)
    label = columns.label_at(header, [at for at in others if at not in (split, group)])
    if file is None or label is None:
        raise DataError(
            f"{where}: expected the columns path and label; found {', '.join(header[:8])}",
            'rename them, such as frame.rename(columns={"file_name": "path", "kind": "label"}).',
        )
    if part and split is not None:
        raise DataError(
            f"{where}: the column {header[split]} names parts, and so do the arguments",
            "drop the column, or give one frame.",
        )
    found = (file, label, split, group)
    cells = [_cells(frame.iloc[:, at], len(frame)) for at in found if at is not None]
    values = iter(cells)
    by_name = [next(values) if at is not None else [""] * len(frame) for at in found]
    by_name[2] = [part] * len(frame) if part else by_name[2]
    return list(zip(*by_name, strict=True))


def _cells(column: Any, n: int) -> list[str]:
    """Texts of a column; nothing for what pandas takes for none."""
    missing = column.isna().tolist() if hasattr(column, "isna") else [False] * n
    return ["" if no else str(one) for one, no in zip(column.tolist(), missing, strict=True)]


def _with_test(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """With a part of the training rows that tests: see `held_out`."""
    trains = [at for at, row in enumerate(rows) if row[2] == "train"]
    tests = drawn_share([rows[at][1] for at in trains], len(rows))
    moved = {at for at, is_test in zip(trains, tests, strict=True) if is_test}
    return [(*row[:2], "test", row[3]) if at in moved else row for at, row in enumerate(rows)]


def _below_one_root(
    rows: Sequence[tuple[str, ...]], name: str, base: Path
) -> tuple[str, list[tuple[str, ...]]]:
    """The folder that all files are in, and the rows with names from there on."""
    paths = [os.path.abspath(base / row[0].strip()) for row in rows]  # noqa: PTH100 - keeps links
    missing = [path for path in paths[:1000] if not os.path.isfile(path)]  # noqa: PTH113 - many
    if not paths or len(missing) == len(paths[:1000]):
        raise DataError(
            f"{name}: none of the files is there, such as {missing[0] if missing else 'none'}",
            f"give whole paths, or start where relative ones begin; they start from {base} now.",
        )
    root = os.path.commonpath([os.path.dirname(path) for path in paths])  # noqa: PTH120
    names = [os.path.relpath(path, root).replace(os.sep, "/") for path in paths]
    return root, [(one, *row[1:]) for one, row in zip(names, rows, strict=True)]


def _named(label: str, class_names: ClassNames | None) -> str:
    if class_names is None or not label:
        return label
    pairs = class_names.items() if isinstance(class_names, Mapping) else enumerate(class_names)
    names = {str(key): str(value) for key, value in pairs}
    if label not in names:
        raise DataError(
            f"class_names has no name for the label {label[:60]}",
            f"name it; labels with a name are {', '.join(list(names)[:8])}.",
        )
    return names[label]


def _link(link: Path, root: str) -> None:
    try:
        if not link.is_symlink():
            link.symlink_to(root, target_is_directory=True)
    except OSError as error:
        raise DataError(
            f"{link}: no link to the images can be made: {error.strerror}",
            f"save the frame as CSV in {root}, and give its path.",
        ) from error
