"""Data frames that name image files and their labels, as a CSV beside a link to the images."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner.api.given_data.arrays import ClassNames, named
from tuner.api.given_data.held_out import drawn
from tuner.api.given_data.kept_arrays import FOLDER
from tuner.data.duplicates import first_equal
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
    if "validation" in frames and "test" not in frames:
        rows = _with_test(rows, name, base)
    root, rows = _below_one_root(rows, name, base)
    rows = _with_names(rows, name, class_names)
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


def _with_test(rows: list[tuple[str, ...]], name: str, base: Path) -> list[tuple[str, ...]]:
    """With a part of the training rows that tests: see `held_out`."""
    parts = [[row for row in rows if row[2] == part] for part in ("train", "validation")]
    ordered = [row for part in parts for row in part]
    tests = drawn(
        [row[1] for row in ordered],
        len(parts[0]),
        name=name,
        copy_of=first_equal(_file_digest(base / row[0].strip()) for row in ordered),
        groups=[row[3] for row in ordered],
    )
    sealed = [
        (*row[:2], "test" if is_test else "train", row[3])
        for row, is_test in zip(parts[0], tests, strict=True)
    ]
    return [*sealed, *parts[1]]


def _file_digest(path: Path) -> bytes:
    """Of what is in a file; of the path, where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return os.fsencode(path)


def _below_one_root(
    rows: Sequence[tuple[str, ...]], name: str, base: Path
) -> tuple[str, list[tuple[str, ...]]]:
    """The folder that all files are in, and the rows with names from there on."""
    # An empty path stays one, so that the row is named where the table is read.
    given = [row[0].strip() for row in rows]
    whole = [os.path.abspath(base / one) if one else "" for one in given]  # noqa: PTH100 - links
    paths = [path for path in whole if path]
    missing = [path for path in paths[:1000] if not os.path.isfile(path)]  # noqa: PTH113 - many
    if len(missing) == len(paths[:1000]):
        raise DataError(
            f"{name}: none of the files exists, such as {missing[0] if missing else 'none'}",
            "give absolute paths, or start in the folder that the relative ones begin in; it is"
            f" {base} now.",
        )
    root = _root(paths, name)
    names = [os.path.relpath(path, root).replace(os.sep, "/") if path else "" for path in whole]
    return root, [(one, *row[1:]) for one, row in zip(names, rows, strict=True)]


def _root(paths: Sequence[str], name: str) -> str:
    try:
        root = os.path.commonpath([os.path.dirname(path) for path in paths])  # noqa: PTH120
    except ValueError:
        # Windows: on several drives.
        root = ""
    if not root or os.path.dirname(root) == root:  # noqa: PTH120
        raise DataError(
            f"{name}: the files have no folder in common, such as {min(paths)} and {max(paths)}",
            "move them into one folder, or correct the path that differs.",
        )
    return root


def _with_names(
    rows: list[tuple[str, ...]], name: str, class_names: ClassNames | None
) -> list[tuple[str, ...]]:
    if class_names is None:
        return rows
    labels = named([row[1] for row in rows], class_names, name)
    return [(row[0], label, *row[2:]) for row, label in zip(rows, labels, strict=True)]


def _link(link: Path, root: str) -> None:
    try:
        if not link.is_symlink():
            link.symlink_to(root, target_is_directory=True)
    except OSError as error:
        raise DataError(
            f"{link}: cannot make a link to the images: {error.strerror}",
            f"save the frame as CSV in {root}, and give its path.",
        ) from error
