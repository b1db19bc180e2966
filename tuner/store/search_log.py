"""state/trials.jsonl: every start and end of a trial, in order.

With it, a search resumes after any crash.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from tuner.records.error_text import short_line
from tuner.records.trial import Trial
from tuner.store.files.reading import DamagedFileError, parse_json, read_whole
from tuner.store.history import LogEntry, first_problem

_ENTRY = TypeAdapter(LogEntry)
# Of a hundred thousand trials.
_MOST_BYTES = 2_000_000_000
# The last key of each line: CRC-32 of the line without it.
_SUM = "crc32"


class SearchLog:
    """Appends entries and reads them back; nothing that was written is ever changed.

    Attributes:
        n_doubled: Lines that `read` has found to be there a second time, and has passed over.
    """

    def __init__(self, path: Path) -> None:
        """Take the file's path; it need not exist."""
        self.n_doubled = 0
        self._path = path

    def started(self, trial: Trial, state: Mapping[str, Any]) -> None:
        """Keep that a trial was proposed.

        Without waiting for the disk: were the line lost with the power, the next session would
        propose the same trial.
        """
        self._append(LogEntry(kind="started", trial=trial, state=dict(state)), must_last=False)

    def ended(self, trial: Trial) -> None:
        """Keep a trial's outcome, safe on the disk."""
        self._append(LogEntry(kind="ended", trial=trial), must_last=True)

    def measured(self, trials: Sequence[Trial]) -> None:
        """Keep what the models of trials take, which had ended before, or that it is not known."""
        self._append(*(LogEntry(kind="measured", trial=trial) for trial in trials), must_last=True)

    def close(self, state: Mapping[str, Any]) -> None:
        """Keep that the search is over, whatever could still be tried."""
        self._append(LogEntry(kind="closed", state=dict(state)), must_last=True)

    def read(self) -> list[LogEntry]:
        """All entries; a last line that was cut off in the middle is removed from the file.

        A line that is there a second time, letter by letter, is passed over.

        Raises:
            DamagedFileError: If any other line is damaged, or the lines do not fit together.
        """
        try:
            content = read_whole(self._path, _MOST_BYTES)
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise self.damage(f"the log cannot be read: {error}") from error
        whole = content[: content.rfind(b"\n") + 1]
        entries = self._entries(whole)
        if len(whole) < len(content):
            os.truncate(self._path, len(whole))
        return entries

    def damage(self, what: str, number: int | None = None) -> DamagedFileError:
        """The error for a log from which a search cannot resume.

        It has the number of the line, from 1, if one line is at fault.
        """
        where = self._path if number is None else f"{self._path}:{number}"
        return DamagedFileError(
            f"{where}: {what}, so the search cannot be resumed",
            "restore the file, or start again with --fresh; trials.csv still holds what had ended.",
        )

    def _entries(self, content: bytes) -> list[LogEntry]:
        seen, entries, numbers = set[bytes](), list[LogEntry](), list[int]()
        self.n_doubled = 0
        lines = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").split(b"\n")
        for number, line in enumerate(lines, 1):
            digest = hashlib.sha256(line).digest()
            # Equal lines are the same event: a trial starts once and ends once.
            if line and digest in seen:
                self.n_doubled += 1
            elif line.strip():
                seen.add(digest)
                numbers.append(number)
                entries.append(self._parse(number, line))
        if problem := first_problem(entries):
            at, what = problem
            raise self.damage(what, numbers[at])
        return entries

    def _parse(self, number: int, line: bytes) -> LogEntry:
        try:
            plain = parse_json(line)
            # Versions before wrote no sum.
            is_changed = _SUM in plain and plain.pop(_SUM) != _sum_of(plain)
            entry = _ENTRY.validate_python(plain)
        except (ValueError, TypeError, AttributeError) as error:
            raise self.damage("the line is damaged", number) from error
        if is_changed:
            raise self.damage("the line is damaged", number)
        if entry.trial and entry.trial.error:
            # Versions before wrote it as it came, and no table could take it.
            return replace(entry, trial=replace(entry.trial, error=short_line(entry.trial.error)))
        return entry

    def _append(self, *entries: LogEntry, must_last: bool) -> None:
        plain = [_ENTRY.dump_python(one, mode="json", exclude_defaults=True) for one in entries]
        lines = [json.dumps(one | {_SUM: _sum_of(one)}) + "\n" for one in plain]
        with open(self._path, "ab") as file:
            file.write("".join(lines).encode("ascii"))
            if must_last:
                file.flush()
                os.fsync(file.fileno())


def _sum_of(plain: Mapping[str, Any]) -> str:
    return f"{zlib.crc32(json.dumps(plain).encode('ascii')):08x}"
