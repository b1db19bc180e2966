"""The folder of an export: whole or not there at all, and never in the place of other files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner.errors import ConfigurationError
from tuner.exports import model_card, predict_script
from tuner.exports.formats import FORMATS
from tuner.names import first_of, printable
from tuner.production import exported_labels
from tuner.store.files.leftovers import sweep, writer
from tuner.store.files.whole_files import named_refusals

RECORD = "export.json"
REJECTED = ".rejected"
# Files that a message names.
_SHOWN = 3
_FILES = {one.file for one in FORMATS.values()}
_BESIDE = {RECORD, exported_labels.NAME, predict_script.NAME, model_card.NAME}
_WRITTEN = _FILES | _BESIDE | {f"{name}{REJECTED}" for name in (*_FILES, RECORD)}
_RECORDS = (RECORD, f"{RECORD}{REJECTED}")

_ANOTHER = "name another folder with --out."


def check_folder(path: Path) -> None:
    """Refuse a place that holds anything else than an earlier export.

    Raises:
        ConfigurationError: If it does, is the working directory, or cannot be looked into.
    """
    place = path.resolve()
    if Path.cwd().is_relative_to(place):
        raise ConfigurationError(
            f"{path}: is the current folder or contains it, and an export replaces its folder",
            "name a folder in it, such as --out exported.",
        )
    with named_refusals(path, _ANOTHER):
        names = {one.name for one in place.iterdir()} if place.exists() else set()
    # Without a record, a file with a name of ours is still somebody else's.
    others = sorted(names - _WRITTEN if names.intersection(_RECORDS) else names)
    if others:
        raise ConfigurationError(
            f"{path}: holds files that no export wrote; they are not replaced:"
            f" {first_of(list(map(printable, others)), _SHOWN)}",
            "name another folder with --out, or move them.",
        )


@contextmanager
def made_beside(path: Path) -> Iterator[Path]:
    """A folder to write in, beside its place; what is still in it at the end goes.

    Args:
        path: The place, which `check_folder` has passed.

    Raises:
        ConfigurationError: If anything in it cannot be written.
    """
    place = path.resolve()
    made = _temporary(place)
    try:
        with named_refusals(path, _ANOTHER):
            place.parent.mkdir(parents=True, exist_ok=True)
            sweep(place.parent.glob(f".{place.name}.*.tmp"))
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir()
            yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def put_in_place(made: Path, path: Path) -> None:
    """Let a folder take its place; an earlier export goes, and stays if that fails.

    Args:
        made: From `made_beside`.
        path: The place.

    Raises:
        OSError: If that fails.
    """
    place = path.resolve()
    if not place.exists():
        os.replace(made, place)
        return
    check_folder(path)
    old = _temporary(place, "old")
    shutil.rmtree(old, ignore_errors=True)
    os.replace(place, old)
    try:
        os.replace(made, place)
    except OSError:
        os.replace(old, place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def put_rejected(made: Path, name: str, path: Path) -> Path:
    """Keep a file that failed its check, and its record; an earlier export stays as it is.

    Args:
        made: From `made_beside`, with the file and a record.
        name: The file.
        path: The place.

    Returns:
        The file with `.rejected` at its end.

    Raises:
        OSError: If that fails.
    """
    place = path.resolve()
    place.mkdir(exist_ok=True)
    for one in (name, RECORD):
        kept = place / f"{one}{REJECTED}"
        if kept.is_dir():
            # A file is replaced in one step, a folder is not.
            shutil.rmtree(kept)
        os.replace(made / one, kept)
    return path / f"{name}{REJECTED}"


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _temporary(place: Path, word: str = "") -> Path:
    return place.with_name("." + ".".join(filter(None, [place.name, word, writer(), "tmp"])))
