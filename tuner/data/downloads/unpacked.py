"""Archives of own data: unpacked once for each state that they are in, below the data root."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from tuner.data.cache.cache_folder import locked
from tuner.data.downloads.archive import MOST_INNER_LEVELS, archive_stem, unpack
from tuner.data.tables.table import is_table
from tuner.errors import DataError

UNPACKED = ".unpacked"


def unpacked(archive: Path, data_root: Path) -> Path:
    """What an archive of own data holds, as a path that may stand in its place.

    Only the first call unpacks it.

    Args:
        archive: A zip or tar.
        data_root: Folder of the data; each archive gets a folder below `.unpacked` in it, and in
            that one for the state that it is in now: what is there of an older state goes.

    Returns:
        The folder; or, where it holds only one, the folder, CSV or NPZ in it.

    Raises:
        DataError: As `unpack`, or if it is empty.
    """
    status = archive.stat()
    place = f"{archive_stem(archive)[:100]}-{_short_hash(os.fsencode(archive.resolve()))}"
    folder = (
        data_root
        / UNPACKED
        / place
        / _short_hash(f"{MOST_INNER_LEVELS}\0{status.st_size}\0{status.st_mtime_ns}".encode())
    )
    if not folder.is_dir():
        with locked(f"{UNPACKED}-{place}", data_root) as is_alone:
            _unpack_anew(archive, folder, is_alone=is_alone)
    return _entered(folder, archive)


def _unpack_anew(archive: Path, folder: Path, *, is_alone: bool) -> None:
    """Unpack unless another process has just done so.

    Alone, delete what that archive has left there before.
    """
    if not folder.is_dir():
        try:
            unpack(archive, folder, with_inner=True)
        except DataError:
            if not folder.is_dir():  # Where there are no locks, another run may have been faster.
                raise
    if is_alone:
        for other in folder.parent.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)


def _short_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _entered(folder: Path, archive: Path) -> Path:
    """Go down as long as there is but one way."""
    inside = [path for path in folder.iterdir() if not path.name.startswith((".", "__"))]
    folders = [path for path in inside if path.is_dir()]
    tables = [path for path in inside if _is_data_file(path)]
    if not inside:
        raise DataError(f"{archive.name}: the archive is empty", "check that it is the right one.")
    if len(tables) == 1 and not folders:
        return tables[0]
    # A folder of nothing but images is a class, not the archive's own top folder.
    leads_on = (
        len(folders) == 1
        and not tables
        and any(path.is_dir() or _is_data_file(path) for path in folders[0].iterdir())
    )
    if not leads_on:
        return folder
    found = _entered(folders[0], archive)
    # What lies beside a folder of images must be accounted for, too.
    return found if found.is_file() or sum(1 for _ in folder.iterdir()) == 1 else folder


def _is_data_file(path: Path) -> bool:
    return is_table(path) or path.suffix.lower() == ".npz"
