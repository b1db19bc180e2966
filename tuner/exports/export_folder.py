"""The folder of an export: whole or not there at all, and never in the place of other files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner.errors import ConfigurationError
from tuner.store.files.leftovers import sweep, writer

RECORD = "export.json"
REJECTED = ".rejected"


def check_folder(path: Path) -> None:
    """Refuse a place that holds something else than an earlier export.

    Raises:
        ConfigurationError: If it does, or cannot be looked into.
    """
    try:
        is_free = not path.exists() or not any(path.iterdir()) or (path / RECORD).is_file()
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be written: {error.strerror or error}", "name another folder."
        ) from error
    if not is_free:
        raise ConfigurationError(
            f"{path}: holds files that no export wrote, which are not replaced",
            "name another folder with --out.",
        )


@contextmanager
def export_folder(path: Path) -> Iterator[Path]:
    """A folder to write in, which takes its place at the end; an earlier export goes.

    Raises:
        ConfigurationError: If it cannot be written.
    """
    made = path.with_name(f".{path.name}.{writer()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent.glob(f".{path.name}.*.tmp"))
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be written: {error.strerror or error}", "name another folder."
        ) from error
    try:
        yield made
        if path.exists():
            shutil.rmtree(path)
        os.replace(made, path)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
