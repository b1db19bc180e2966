"""`datasets fetch`: gets a data set's files, or sees whether those that it got are still whole."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from tuner.data.cards.card import Card
from tuner.data.cards.card_files import card_folders, load_card
from tuner.data.downloads.archive import unpack
from tuner.data.downloads.kaggle import download
from tuner.data.load import missing_paths
from tuner.errors import ConfigurationError, DataError
from tuner.names import printable
from tuner.space.documents.bounded_reading import read_bytes
from tuner.store.files.whole_files import is_disk_full, write_text

MANIFEST = ".fetched.json"

_WORK = ".fetching"
_CHUNK_BYTES = 2**20
# Of a million files.
_MOST_MANIFEST_BYTES = 200_000_000

# SHA-256 and size in bytes of each file, by its path below the data root.
_Manifest = dict[str, tuple[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came of it.

    Attributes:
        name: Of the card.
        state: `fetched` now; `repaired`, since files were missing or changed; `whole`, as it was
            fetched before; `there`, but from elsewhere, so that nothing is known of it;
            `generated`, so that there is nothing to get.
        paths: Where the data lie.
        n_files: Files that were fetched, now or before.
        n_bytes: Their size.
        n_repaired: Files that were missing or changed.
    """

    name: str
    state: Literal["fetched", "repaired", "whole", "there", "generated"]
    paths: tuple[Path, ...]
    n_files: int = 0
    n_bytes: int = 0
    n_repaired: int = 0

    def line(self) -> str:
        """What people read."""
        where = ", ".join(map(str, self.paths))
        amount = (
            f"{self.n_files:,} file{'s' * (self.n_files != 1)}, {self.n_bytes / 1e6:,.1f} MB, in"
            f" {where}"
        )
        return (
            f"{self.name}: "
            + {
                "fetched": f"fetched {amount}",
                "repaired": (
                    f"replaced {self.n_repaired:,} of its files, which were missing or changed;"
                    f" {amount}"
                ),
                "whole": f"already fetched, and unchanged: {amount}",
                "there": (
                    "already exists, but this command did not fetch it, so it is not checked:"
                    f" {where}"
                ),
                "generated": "is generated, so there is nothing to fetch",
            }[self.state]
        )


def fetch(name: str, data_root: Path) -> Fetched:
    """Get the files of a data set into the data root.

    Files that were fetched before are compared with what they were, and replaced if need be. A
    download that was interrupted goes on where it stopped. What is unpacked takes its place only
    when it is whole.

    Args:
        name: A card's name.
        data_root: Folder of the data.

    Raises:
        ConfigurationError: If there is no such card; or as `download`; or another command fetches
            the same.
        DataError: If the card names no source; or as `download` and `unpack`; or the disk is full.
    """
    card = load_card(name, card_folders())
    paths = tuple(data_root / path for path in card.paths)
    if not paths:
        return Fetched(name=name, state="generated", paths=())
    work = data_root / _WORK / name
    try:
        work.mkdir(parents=True, exist_ok=True)
        with FileLock(work.with_suffix(".lock"), timeout=0):
            return _fetch(card, data_root, work, paths)
    except Timeout as error:
        raise ConfigurationError(
            f"{name}: another command is fetching it", "wait until it ends."
        ) from error
    except OSError as error:
        if is_disk_full(error):
            raise DataError(
                f"{name}: no space is left on the disk under {data_root}",
                "free space, or name another disk with --data-dir. Then repeat the command to"
                " resume.",
            ) from error
        raise DataError(
            f"{name}: {error.filename or data_root} cannot be written: {error.strerror or error}",
            "check the folder, or name another with --data-dir.",
        ) from error


def _fetch(card: Card, data_root: Path, work: Path, paths: tuple[Path, ...]) -> Fetched:
    manifest_path = data_root / card.name / MANIFEST
    # What a command that was killed had been placing counts as fetched, as far as it is there.
    placed = _read_manifest(work / MANIFEST)
    before, missing = _read_manifest(manifest_path) | placed, missing_paths(card, data_root)
    wrong = [
        path for path, expected in before.items() if _fingerprint(data_root / path) != expected
    ]
    if not missing and not wrong:
        if placed:
            _write_manifest(manifest_path, card, before)
        shutil.rmtree(work, ignore_errors=True)
        return _fetched(card, "whole" if before else "there", paths, before)
    if card.kaggle is None:
        lacking = (missing or [data_root / wrong[0]])[0]
        raise DataError(
            f"{card.name}: the card states no download, and there is no {lacking}",
            f"{card.how_to_get}.",
        )
    for old in work.glob("placing-*"):  # of a command that was killed
        shutil.rmtree(old, ignore_errors=True)
    placing = Path(tempfile.mkdtemp(prefix="placing-", dir=work))
    try:
        source = download(card, work / "download")
        if card.kaggle.archive:
            unpack(source, placing / "unpacked")
            source = placing / "unpacked"
        manifest: _Manifest = {}
        # What you have put there stays as it is.
        wanted = [
            path for path in card.paths if data_root / path in missing or _has_file_of(before, path)
        ]
        for path in wanted:
            manifest |= _stage(card, source, placing / "whole", path)
        _write_manifest(work / MANIFEST, card, manifest)
        for path in wanted:
            _place(placing / "whole", data_root, path)
    finally:
        shutil.rmtree(placing, ignore_errors=True)
    _write_manifest(manifest_path, card, manifest)
    shutil.rmtree(work, ignore_errors=True)
    return _fetched(card, "repaired" if wrong else "fetched", paths, manifest, len(wrong))


def _write_manifest(path: Path, card: Card, manifest: _Manifest) -> None:
    source = card.kaggle.page if card.kaggle else ""
    files = {
        path: {"sha256": digest, "bytes": n_bytes}
        for path, (digest, n_bytes) in sorted(manifest.items())
    }
    write_text(path, json.dumps({"version": 1, "source": source, "files": files}, indent=1) + "\n")


def _has_file_of(manifest: _Manifest, path: str) -> bool:
    """Whether the manifest names the file at one of the card's paths, or a file in that folder."""
    place = Path(path).as_posix()
    return any(name == place or name.startswith(f"{place}/") for name in manifest)


def _fetched(
    card: Card,
    state: Literal["fetched", "repaired", "whole", "there"],
    paths: tuple[Path, ...],
    manifest: _Manifest,
    n_repaired: int = 0,
) -> Fetched:
    n_bytes = sum(size for _, size in manifest.values())
    return Fetched(
        name=card.name,
        state=state,
        paths=paths,
        n_files=len(manifest),
        n_bytes=n_bytes,
        n_repaired=n_repaired,
    )


def _stage(card: Card, download: Path, stage: Path, path: str) -> _Manifest:
    """Copy what belongs at one of the card's paths, and leave out the rest of a download.

    The rest may be a second copy, for example.
    """
    assert card.kaggle is not None
    source = download / card.kaggle.files[path]
    parts = list(card.splits.roles()) if card.files.parts_are_folders else []
    manifest: _Manifest = {}
    for top in [source / part for part in parts] or [source]:
        _refuse_link(card, top, download)
        files = _files_below(card, top, download) if top.is_dir() else [top]
        if not files or not top.exists():
            raise DataError(
                f"{card.name}: Kaggle's download has no {top.relative_to(source.parent)}; it has"
                " changed",
                f"{card.fetch or 'get it by hand'}.",
            )
        for file in files:
            target = Path(path) / file.relative_to(source)
            (stage / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, stage / target)
            found = _fingerprint(stage / target)
            assert found is not None
            manifest[target.as_posix()] = found
    return manifest


def _files_below(card: Card, top: Path, start: Path) -> list[Path]:
    files: list[Path] = []
    for parent, folders, names in os.walk(top):
        for name in [*folders, *names]:
            _refuse_link(card, Path(parent) / name, start)
        files += [Path(parent) / name for name in names]
    return sorted(file for file in files if file.is_file())


def _refuse_link(card: Card, path: Path, start: Path) -> None:
    """Refuse a link on the way to a path of a download: it may lead to anything on this machine."""
    below = path.relative_to(start)
    for i in range(1, len(below.parts) + 1):
        if start.joinpath(*below.parts[:i]).is_symlink():
            name = printable(Path(*below.parts[:i]).as_posix())
            raise DataError(
                f"{card.name}: Kaggle's download holds a link, {name}; links are not followed",
                f"{card.fetch or 'get it by hand, without links'}.",
            )


def _place(stage: Path, data_root: Path, path: str) -> None:
    """Put a file or folder in its place in one step.

    If it is already there, replace the files that differ.
    """
    if not (data_root / path).exists():
        (data_root / path).parent.mkdir(parents=True, exist_ok=True)
        os.replace(stage / path, data_root / path)
        return
    whole = stage / path
    for file in sorted(whole.rglob("*")) if whole.is_dir() else [whole]:
        target = data_root / file.relative_to(stage)
        if file.is_file() and _fingerprint(target) != _fingerprint(file):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, target)


def _read_manifest(path: Path) -> _Manifest:
    """What was fetched; empty where nothing was, or the list is damaged."""
    try:
        files = json.loads(read_bytes(path, _MOST_MANIFEST_BYTES))["files"]
        return {
            str(name): (str(entry["sha256"]), int(entry["bytes"]))
            for name, entry in files.items()
            if ".." not in Path(name).parts and not Path(name).is_absolute()
        }
    except (ConfigurationError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _fingerprint(path: Path) -> tuple[str, int] | None:
    """SHA-256 and size of a file; None where there is none."""
    digest, n_bytes = hashlib.sha256(), 0
    try:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
                n_bytes += len(chunk)
    except OSError:
        return None
    return digest.hexdigest(), n_bytes
