"""Files that people name: read up to a limit, and only where they are files."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path

from tuner.errors import ConfigurationError
from tuner.names import one_line

_HINT = "give the path of a YAML file."


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLimits:
    """What a document may hold at most.

    Attributes:
        n_bytes: Bytes of the file.
        n_values: Keys, items and values, those behind an alias counted wherever it stands.
        depth: Levels of lists and mappings in each other.
        n_key: Letters of a key.
        n_text: Letters of a text.
        n_digits: Digits of a whole number; those of 15 are exact in every program, also where it is
            read as a float.
    """

    n_bytes: int = 1_000_000
    n_values: int = 50_000
    depth: int = 20
    n_key: int = 1_000
    n_text: int = 20_000
    n_digits: int = 15


# Of spaces and cards, which people write; and of what a run wrote, which may name a hundred
# thousand classes.
BY_HAND = DocumentLimits()
BY_A_RUN = DocumentLimits(n_bytes=20_000_000, n_values=250_000, n_text=1_000_000, n_digits=300)


def read_text(path: Path, limits: DocumentLimits = BY_HAND) -> str:
    """The text of a UTF-8 file, without a byte order mark.

    Raises:
        ConfigurationError: If it is missing, no regular file (a folder, a pipe or a device may
            never end), too large, or not UTF-8.
    """
    shown = one_line(str(path))
    content = read_bytes(path, limits.n_bytes)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        where = shown if content.startswith((b"\xff\xfe", b"\xfe\xff")) else f"{shown}:{line}"
        hint = f"save it as UTF-8, or {_HINT}"
        raise ConfigurationError(f"{where}: cannot be read: it is not UTF-8 text.", hint) from error


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a regular file of so many bytes at most; `read_text` says what it raises."""
    shown = one_line(str(path))
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            what = (
                "it is a folder" if stat.S_ISDIR(mode) else "it is a pipe or a device, not a file"
            )
            raise ConfigurationError(f"{shown}: cannot be read: {what}.", _HINT)
        with open(path, "rb") as file:
            content = file.read(most + 1)
    except (OSError, ValueError) as error:
        # A name with a NUL is a ValueError.
        reason = getattr(error, "strerror", None) or "it is not a valid file name"
        raise ConfigurationError(f"{shown}: cannot be read: {reason}.", _HINT) from error
    if len(content) > most:
        message = f"{shown}: cannot be read: it has more than {most / 1e6:g} MB."
        raise ConfigurationError(message, _HINT)
    return content
