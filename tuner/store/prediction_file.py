"""Predictions as a table or a list in a file, written as they come."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from tuner.errors import ConfigurationError
from tuner.names import spreadsheet_cell
from tuner.store.files.leftovers import writer
from tuner.store.files.whole_files import named_refusals

Row = Mapping[str, Any]
# The first columns of a CSV, before the shares of the classes.
COLUMNS = ("image", "class", "confidence", "error", "note")
_SHARE = "probability."

_ANOTHER = "choose another file."


def check_prediction_file(path: Path) -> None:
    """Refuse a file that could not be written, before anything is predicted.

    Raises:
        ConfigurationError: If it is of another kind, or cannot be written.
    """
    if path.suffix.lower() == ".parquet":
        raise ConfigurationError(
            f"{path}: writing Parquet needs a package that tuner does not require (pyarrow)",
            f"write {path.with_suffix('.csv')}; pandas.read_csv(...).to_parquet(...) converts it.",
        )
    if path.suffix.lower() not in _WRITERS:
        raise ConfigurationError(
            f"{path}: predictions are written as .csv, .json or .jsonl",
            f"name a file such as {path.with_suffix('.csv')}.",
        )
    if path.is_dir():
        raise ConfigurationError(f"{path}: is a folder", "name a file.")
    with named_refusals(path, _ANOTHER):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(partial_file(path), "wb"):
            pass
        partial_file(path).unlink()


def partial_file(path: Path) -> Path:
    """Where this process writes predictions until all are made, or until it is killed."""
    return path.with_name(f"{path.name}.{writer()}.partial")


@contextmanager
def prediction_file(path: Path, class_names: Sequence[str]) -> Iterator[Callable[[Row], None]]:
    """A function that writes a prediction; the file takes its place when all are written.

    Each has `image`, `class`, `probabilities` by class, and where there are any `error` and `note`.

    Args:
        path: A .csv, .json or .jsonl file.
        class_names: Of the model.

    Raises:
        ConfigurationError: If it cannot be written.
    """
    partial = partial_file(path)
    with named_refusals(path, _ANOTHER):
        file = open(partial, "w", encoding="utf-8", errors="surrogateescape", newline="")  # noqa: SIM115
    with file:
        with _WRITERS[path.suffix.lower()](file, class_names) as write:
            yield write
        file.flush()
        os.fsync(file.fileno())
    with named_refusals(path, _ANOTHER):
        os.replace(partial, path)


@contextmanager
def _as_csv(file: TextIO, class_names: Sequence[str]) -> Iterator[Callable[[Row], None]]:
    writer = csv.writer(file, lineterminator="\n")
    names = [*COLUMNS, *(f"{_SHARE}{name}" for name in class_names)]
    writer.writerow(map(spreadsheet_cell, names))

    def write(row: Row) -> None:
        shares = row.get("probabilities", {})
        confidence = max(shares.values(), default="")
        cells = [row["image"], row.get("class") or "", confidence, row.get("error", "")]
        cells += [row.get("note", ""), *(shares.get(name, "") for name in class_names)]
        writer.writerow(map(spreadsheet_cell, cells))

    yield write


@contextmanager
def _as_lines(file: TextIO, class_names: Sequence[str]) -> Iterator[Callable[[Row], None]]:
    del class_names

    def write(row: Row) -> None:
        file.write(json.dumps(row) + "\n")

    yield write


@contextmanager
def _as_list(file: TextIO, class_names: Sequence[str]) -> Iterator[Callable[[Row], None]]:
    del class_names
    before = "[\n"

    def write(row: Row) -> None:
        nonlocal before
        file.write(before + json.dumps(row))
        before = ",\n"

    yield write
    file.write("[]\n" if before == "[\n" else "\n]\n")


_WRITERS = {".csv": _as_csv, ".json": _as_list, ".jsonl": _as_lines}
