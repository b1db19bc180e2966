"""Tables as text: CSV and its relatives, whatever separates their columns or packs them."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from tuner.errors import DataError

_SUFFIXES = (".csv", ".tsv", ".tab")
_PACKED = ("", ".gz", ".bz2", ".xz")
_OPENERS: Mapping[bytes, Callable[[IO[bytes]], Any]] = MappingProxyType(
    {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
)
_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

# A line of 2,048 x 2,048 colour pixels takes at most 50 million letters.
_LONGEST_LINE = 64_000_000
# Real text shrinks by far less; only what is packed is counted, as in archives.
_FREE_BYTES, _MOST_TIMES = 1_000_000_000, 200
_SAMPLED_LINES = 20
_SAMPLED_LETTERS = 1_000_000


def is_table(path: Path) -> bool:
    """Whether the name says so: `.csv`, `.tsv` or `.tab`, perhaps with `.gz`, `.bz2` or `.xz`."""
    return path.name.lower().endswith(tuple(kind + by for kind in _SUFFIXES for by in _PACKED))


def table_stem(path: Path) -> str:
    """The name without these suffixes."""
    stem = path.name
    for suffix in (*_PACKED[1:], *_SUFFIXES):
        stem = stem[: -len(suffix)] if stem.lower().endswith(suffix) else stem
    return stem or path.name


def n_letters(path: Path) -> int:
    """At least as many as the text has; 0 where the file cannot be read.

    That it cannot is for the reading to say.
    """
    try:
        with path.open("rb") as file:
            opener = _opener(file)
            if opener is None:
                return path.stat().st_size
            unpacked = _Counted(opener(file), path)
            buffer = bytearray(1 << 20)
            while unpacked.readinto(buffer):
                pass
            return unpacked.n_bytes
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return 0


@contextmanager
def csv_rows(path: Path) -> Iterator[tuple[list[str], Iterator[tuple[int, list[str]]]]]:
    """The first row of a table, and the others with the line that each ends on, but for blank ones.

    Raises:
        DataError: If the file cannot be read, is no such text, or is empty.
    """
    # The module refuses fields over 131,072 letters: a grey image of 256 x 256 is longer.
    previous = csv.field_size_limit(_LONGEST_LINE)
    try:
        with path.open("rb") as raw, _text(raw, path) as text:
            lines = _lines(text, path)
            sample = _sample(lines)
            # Spreadsheets write it for each other.
            stated = re.fullmatch(r"sep=([,;\t|])\s*", sample[0], re.IGNORECASE) if sample else None
            n_before = 0 if stated is None else 1
            sample = sample[n_before:]
            delimiter = _delimiter(sample, path) if stated is None else stated[1]
            reader = csv.reader(_chained(sample, lines), delimiter=delimiter)
            header = [name.strip() for name in next(reader, [])]
            if not header:
                raise DataError(f"{path.name}: the file is empty", "download it again.")
            yield header, ((n_before + reader.line_num, row) for row in reader if _is_filled(row))
    except (OSError, UnicodeError, csv.Error, EOFError, zlib.error, lzma.LZMAError) as error:
        raise _unreadable(path, error) from error
    finally:
        csv.field_size_limit(previous)


def _opener(file: IO[bytes]) -> Callable[[IO[bytes]], Any] | None:
    """What unpacks the file, by its content; the file stands at its start again."""
    magic = file.read(6)
    file.seek(0)
    return next((opener for mark, opener in _OPENERS.items() if magic.startswith(mark)), None)


def _text(raw: IO[bytes], path: Path) -> io.TextIOWrapper:
    opener = _opener(raw)
    data = io.BufferedReader(_Counted(opener(raw), path), 1 << 16) if opener else raw
    start = data.peek(4)[:4] if hasattr(data, "peek") else b""
    encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "utf-8")
    return io.TextIOWrapper(data, encoding=encoding, newline="")


def _lines(text: io.TextIOWrapper, path: Path) -> Iterator[str]:
    while line := text.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise DataError(
                f"{path.name}: a line has over {_LONGEST_LINE:,} letters", "write one image a line."
            )
        yield line


def _is_filled(row: list[str]) -> bool:
    """Whether it is more than a blank line, or the commas that a spreadsheet writes for one."""
    return any(cell.strip() for cell in row)


def _sample(lines: Iterator[str]) -> list[str]:
    """The first lines, without most of them where they are long."""
    found: list[str] = []
    for line in islice(lines, _SAMPLED_LINES):
        found.append(line)
        if sum(map(len, found)) > _SAMPLED_LETTERS:
            break
    return found


def _chained(first: list[str], others: Iterator[str]) -> Iterator[str]:
    yield from first
    yield from others


def _delimiter(sample: list[str], path: Path) -> str:
    """What separates the columns: it is in the first line, and cuts all sampled ones alike.

    Raises:
        DataError: If several would do.
    """
    in_header = [mark for mark in _DELIMITERS if sample and mark in sample[0]]
    if len(in_header) < 2:
        return in_header[0] if in_header else ","
    fitting = []
    for mark in in_header:
        widths = {len(row) for row in csv.reader(sample, delimiter=mark) if row}
        fitting += [mark] if len(widths) == 1 and widths != {1} else []
    if len(fitting) == 1 or "," in fitting or not fitting:
        return fitting[0] if len(fitting) == 1 else ","
    names = " or ".join(_DELIMITERS[mark] for mark in fitting)
    raise DataError(
        f"{path.name}: its columns may be separated by {names}",
        "separate them by commas, and put text that holds one in double quotes.",
    )


class _Counted(io.RawIOBase):
    """Unpacked bytes, of which there may not be suspiciously many."""

    def __init__(self, unpacked: IO[bytes], path: Path) -> None:
        self._unpacked, self._path = unpacked, path
        self._most = max(_FREE_BYTES, _MOST_TIMES * path.stat().st_size)
        self.n_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._unpacked.read(len(buffer))
        self.n_bytes += len(data)
        if self.n_bytes > self._most:
            raise DataError(
                f"{self._path.name}: it unpacks to over {self._most / 1e9:.0f} GB, more than "
                f"{_MOST_TIMES} times its size",
                "unpack it yourself, if you trust it.",
            )
        buffer[: len(data)] = data
        return len(data)


def _unreadable(path: Path, error: Exception) -> DataError:
    hint = "check the file, or download it again."
    if isinstance(error, UnicodeError):
        reason = "it is not CSV text in UTF-8"
        hint = (
            "save it as CSV UTF-8; text in Latin-1 or another encoding: iconv -f latin1 -t utf-8."
        )
    elif isinstance(error, csv.Error):
        reason = "it is not CSV text in UTF-8"
    elif isinstance(error, (EOFError, zlib.error, lzma.LZMAError)) or error.strerror is None:  # type: ignore[attr-defined]
        reason = "the compressed file is damaged"
    else:
        reason = error.strerror  # type: ignore[attr-defined]
    return DataError(f"{path.name}: cannot be read: {reason}", hint)
