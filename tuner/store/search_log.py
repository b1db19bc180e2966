"""state/trials.jsonl: every start and end of a trial, in order; with it a search goes on after any crash."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from tuner.errors import ConfigurationError
from tuner.records.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One line of the log.

    Attributes:
        kind: `started`, `ended`, or `closed`: nothing is searched any more.
        trial: The trial as it was then; None where the log was closed.
        state: What decides the next settings, as it was then; empty for `ended`.
    """

    kind: Literal["started", "ended", "closed"]
    trial: Trial | None = None
    state: Mapping[str, Any] = field(default_factory=dict)


_ENTRY = TypeAdapter(LogEntry)


class SearchLog:
    """Appends entries and reads them back; nothing that was written is ever changed."""

    def __init__(self, path: Path) -> None:
        """Take the file's path; it need not exist."""
        self._path = path

    def started(self, trial: Trial, state: Mapping[str, Any]) -> None:
        """Keep that a trial was proposed.

        Without waiting for the disk: were the line lost with the power, the next session would propose the same trial.
        """
        self._append(LogEntry(kind="started", trial=trial, state=state), must_last=False)

    def ended(self, trial: Trial) -> None:
        """Keep a trial's outcome, safe on the disk."""
        self._append(LogEntry(kind="ended", trial=trial), must_last=True)

    def close(self, state: Mapping[str, Any]) -> None:
        """Keep that the search is over, whatever could still be tried."""
        self._append(LogEntry(kind="closed", state=state), must_last=True)

    def read(self) -> list[LogEntry]:
        """All entries; a last line that was cut off in the middle is removed from the file.

        Raises:
            ConfigurationError: If any other line is damaged.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(self._path, len(whole))
        return [self._parse(number, line) for number, line in enumerate(whole.splitlines(), 1)]

    def _parse(self, number: int, line: bytes) -> LogEntry:
        try:
            return _ENTRY.validate_json(line)
        except ValidationError as error:
            raise ConfigurationError(
                f"{self._path}:{number}: the line is damaged, so the search cannot be resumed",
                "restore the file, or start again with --fresh; trials.csv still holds what had ended.",
            ) from error

    def _append(self, entry: LogEntry, *, must_last: bool) -> None:
        line = json.dumps(_ENTRY.dump_python(entry, mode="json", exclude_defaults=True)) + "\n"
        with open(self._path, "ab") as file:
            file.write(line.encode("ascii"))
            if must_last:
                file.flush()
                os.fsync(file.fileno())
