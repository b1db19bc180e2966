"""Archives of other people's making, unpacked whole or not at all.

Nothing is written outside their folder, and nothing without bounds.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import IO, cast

from tuner.data.folders.tree import IMAGE_SUFFIXES
from tuner.errors import DataError
from tuner.names import printable
from tuner.store.files.leftovers import sweep, writer
from tuner.store.files.whole_files import is_disk_full

_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_CHUNK_BYTES = 2**16
# tarfile reads headers of long names and attributes into memory whole, however long they say they
# are.
_MOST_HEADER_BYTES = 2**20
_TAR_BLOCK_BYTES = 512
# Python's own ways to walk and delete folders call themselves once for each level.
_MOST_LEVELS = 64
# Archives in archives in an archive.
MOST_INNER_LEVELS = 2
_PACK_AGAIN = "pack the files again as zip or tar.gz, or unpack it yourself and name the folder."
# What Python's readers raise for damaged files, besides OSError; RecursionError comes from headers
# of headers.
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    RuntimeError,
    MemoryError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """What an archive may hold.

    Attributes:
        n_members: Files and folders.
        total_bytes: Size of all files when unpacked.
        ratio: Unpacked size over the archive's own; counts only above `bomb_bytes`, since drawings
            compress well.
        bomb_bytes: Unpacked size up to which any ratio will do.
    """

    n_members: int = 500_000
    total_bytes: int = 50 * 10**9
    ratio: float = 200.0
    bomb_bytes: int = 10**9


LIMITS = ArchiveLimits()


def is_archive(path: Path) -> bool:
    """Whether a file is called like an archive that `unpack` understands."""
    return path.name.lower().endswith(_SUFFIXES)


def archive_stem(path: Path) -> str:
    """The name of an archive without its suffixes: `photos` of `photos.tar.gz`."""
    suffix = max(
        (suffix for suffix in _SUFFIXES if path.name.lower().endswith(suffix)), key=len, default=""
    )
    return path.name[: len(path.name) - len(suffix)] or path.name


def unpack(
    archive: Path, to: Path, limits: ArchiveLimits = LIMITS, *, with_inner: bool = False
) -> None:
    """Unpack a zip or tar into a new folder, which is there only when everything is in it.

    Only files and folders are unpacked. Links are refused, even those that stay inside: tarfile's
    own filter has let crafted ones lead outside (CVE-2025-4517), and images need none.

    Args:
        archive: Its content decides what it is, never its suffix.
        to: Does not exist yet.
        limits: What is too much, of inner archives too.
        with_inner: Whether archives in it are unpacked, each into a folder in its place, where it
            holds no images.

    Raises:
        DataError: If it is damaged, encrypted or too much, or holds what may not be unpacked, with
            the member's name; or if the disk is full or may not be written to.
    """
    budget = _Budget(archive, limits)
    building: Path | None = None
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        sweep(to.parent.glob(".unpacking-*"))
        building = Path(tempfile.mkdtemp(prefix=f".unpacking-{writer()}-", dir=to.parent))
        with _told(budget):
            _unpack_into(archive, building, budget)
            for _ in range(MOST_INNER_LEVELS if with_inner else 0):
                _unpack_inner(building, budget)
        building.chmod(0o755)
        building.replace(to)
    except OSError as error:
        if is_disk_full(error):
            message = f"{archive.name}: no space is left on the disk under {to.parent} to unpack it"
            raise DataError(message, "free space, and repeat the command.") from error
        raise DataError(
            f"{archive.name}: cannot be unpacked: {error.strerror}", "check both paths."
        ) from error
    finally:
        if building is not None:
            shutil.rmtree(building, ignore_errors=True)


def _unpack_into(archive: Path, folder: Path, budget: _Budget) -> None:
    with open(archive, "rb") as file:
        magic = file.read(6)
        file.seek(0)
        if magic.startswith(b"PK"):
            _unpack_zip(file, folder, budget)
        else:
            _unpack_tar(_decompressed(file, magic), folder, budget)


def _unpack_inner(building: Path, budget: _Budget) -> None:
    """Unpack the archives that an archive holds, as competitions hand them out.

    Where there are images beside them, those count.
    """
    files = [path for path in sorted(building.rglob("*")) if path.is_file()]
    if any(path.suffix[1:].lower() in IMAGE_SUFFIXES for path in files):
        return
    for inner in filter(is_archive, files):
        budget.outer, budget.member = f"{inner.name}/", ""
        folder = inner.with_name(archive_stem(inner))
        if folder.exists():
            folder = inner.with_name(f"{inner.name} (unpacked)")
        folder.mkdir()
        _unpack_into(inner, folder, budget)
        inner.unlink()


class _Budget:
    """Counts what an archive holds, and knows which member is at work."""

    def __init__(self, archive: Path, limits: ArchiveLimits) -> None:
        self.archive = archive
        self.outer = ""
        self.member = ""
        self._limits = limits
        self._n_members = 0
        self._total_bytes = 0

    def take(self, member: str, size: int) -> None:
        """Count a member before anything of it is written."""
        limits, self.member = self._limits, member
        self._n_members += 1
        self._total_bytes += size
        if self._n_members > limits.n_members:
            raise self.refusal(f"it is one of more than {limits.n_members:,} files and folders")
        if self._total_bytes > limits.total_bytes:
            raise self.refusal(f"with it the files take more than {limits.total_bytes / 1e9:g} GB")
        packed = max(1, self.archive.stat().st_size)
        if self._total_bytes > limits.bomb_bytes and self._total_bytes > limits.ratio * packed:
            raise self.refusal(
                f"with it the files take more than {limits.ratio:g} times the archive's own size"
            )

    def refusal(self, reason: str) -> DataError:
        """The error for the member at work."""
        shown = self.outer + self.member[-200:]
        member = f", {printable(shown)}" if shown else ""
        return DataError(f"{self.archive.name}{member}: {reason}", _PACK_AGAIN)


@contextmanager
def _told(budget: _Budget) -> Iterator[None]:
    """Say in a DataError which member is damaged."""
    try:
        yield
    except NotImplementedError as error:
        raise budget.refusal("it is compressed in a way that Python cannot read") from error
    except _DAMAGE as error:
        raise budget.refusal("the archive is damaged, or none at all") from error
    except FileExistsError as error:
        raise budget.refusal("another member has the same name") from error
    except OSError as error:
        # Decompressors raise OSError without a number; all others are the file system's.
        if error.errno is None:
            raise budget.refusal("the archive is damaged, or none at all") from error
        if is_disk_full(error):
            raise
        raise budget.refusal(f"cannot be unpacked: {error.strerror}") from error


def _unpack_zip(file: IO[bytes], to: Path, budget: _Budget) -> None:
    with zipfile.ZipFile(file) as packed:
        infos = packed.infolist()
        # All are judged before the first is written.
        for info in infos:
            budget.take(info.filename, info.file_size)
            if info.flag_bits & 0x1:
                raise budget.refusal("it is encrypted")
            if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise budget.refusal(
                    "it is a link or a device; only files and folders are unpacked"
                )
        for info in infos:
            budget.member = info.filename
            _write(info.filename, info.is_dir(), lambda info=info: packed.open(info), to, budget)  # type: ignore[misc]


def _unpack_tar(stream: IO[bytes], to: Path, budget: _Budget) -> None:
    forward = _Forward(stream)
    with tarfile.TarFile(fileobj=cast(IO[bytes], forward), errors="surrogateescape") as packed:
        while member := packed.next():
            budget.take(member.name, member.size if member.isreg() else 0)
            if not (member.isreg() or member.isdir()) or member.issparse():
                raise budget.refusal(
                    "it is a link or a device; only files and folders are unpacked"
                )
            forward.left = member.size
            _write(member.name, member.isdir(), partial(packed.extractfile, member), to, budget)
            forward.left = _MOST_HEADER_BYTES
            packed.members.clear()  # type: ignore[attr-defined]  # It would keep all of them.
    # tarfile takes a broken header for the end.
    if forward.last != bytes(_TAR_BLOCK_BYTES):
        raise tarfile.ReadError("no end")
    while forward.left >= _CHUNK_BYTES and forward.read(_CHUNK_BYTES):
        pass  # So that the checksum behind the last block is compared.


def _write(
    name: str,
    is_folder: bool,
    open_member: Callable[[], IO[bytes] | None],
    to: Path,
    budget: _Budget,
) -> None:
    plain = name.replace("\\", "/")  # as some Windows programs write it
    path = PurePath(plain)
    if path.anchor or ".." in path.parts or "\0" in plain:
        raise budget.refusal("its name leads out of the folder")
    if len(path.parts) > _MOST_LEVELS:
        raise budget.refusal(f"it lies more than {_MOST_LEVELS} folders deep")
    target = to / path
    if is_folder or plain.endswith("/"):
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    source = open_member()
    assert source is not None  # It is a file.
    with source, open(target, "xb") as written:
        shutil.copyfileobj(source, written, _CHUNK_BYTES)


def _decompressed(file: IO[bytes], magic: bytes) -> IO[bytes]:
    if magic.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.GzipFile(fileobj=file))
    if magic.startswith(b"BZh"):
        return cast(IO[bytes], bz2.BZ2File(file))
    if magic.startswith(b"\xfd7zXZ"):
        return cast(IO[bytes], lzma.LZMAFile(file))
    return file


class _Forward:
    """A tar's bytes, read once, front to back.

    Crafted headers make tarfile loop (CVE-2025-8194) or fill the memory.

    Attributes:
        left: Bytes that may be read or passed over until it is set again.
        last: What was read last.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self.left = _MOST_HEADER_BYTES
        self.last = b""
        self._stream = stream

    def read(self, n: int) -> bytes:
        self._spend(n)
        self.last = self._stream.read(n)
        return self.last

    def seek(self, position: int) -> int:
        self._spend(position - self.tell())
        return self._stream.seek(position)

    def tell(self) -> int:
        return self._stream.tell()

    def _spend(self, n: int) -> None:
        if not 0 <= n <= self.left:
            raise tarfile.ReadError("a header that leads back, or is too long")
        self.left -= n
