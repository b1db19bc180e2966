"""events.jsonl: the events of a run.

Other programs read most of it, and the run itself reads some of it.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tuner.records.trial import Trial
from tuner.store.files.reading import kind_of, lines_of, parse_json
from tuner.store.files.whole_files import json_line

_TRIAL = TypeAdapter(Trial)
# A trial of ten thousand epochs takes two.
_LONGEST_LINE = 50_000_000


class EventLog:
    """Appends events and reads them back.

    A line that is not an event is skipped and counted, since nothing needs all lines.
    """

    def __init__(self, path: Path) -> None:
        """Take the file's path; it need not exist."""
        self._path = path

    def append(self, event: Mapping[str, Any]) -> None:
        """Add a line."""
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json_line(event) + "\n")

    def mend(self) -> None:
        """End a line that a crash has cut off, so that the next event does not continue it."""
        if kind_of(self._path) != "file":
            return
        with open(self._path, "r+b") as file:
            file.seek(0, os.SEEK_END)
            if file.tell() and file.seek(-1, os.SEEK_END) and file.read() != b"\n":
                file.write(b"\n")

    def n_odd(self) -> int:
        """Lines that are not events, except one cut off by a crash at the end of a session."""
        n, is_waiting = 0, False
        for event in self._events():
            n += is_waiting and (event is None or event["event"] != "RunStarted")
            is_waiting = event is None
        return n

    def spent_s(self, stage: str | None = None) -> float:
        """Seconds that the run's sessions took so far; only those of a stage, if named."""
        spent, start, last = 0.0, None, 0.0
        for event in filter(None, self._events()):
            name, last_before, last = event["event"], last, event["time_s"]
            if name == "RunStarted" or (stage and name == "StageStarted"):
                end = last_before if name == "RunStarted" else last
                spent += max(end - start, 0.0) if start is not None else 0.0
                begins = stage is None or event.get("title") == stage
                start = last if begins else None
        return spent + (max(last - start, 0.0) if start is not None else 0.0)

    def ended_trials(self) -> list[Trial]:
        """The readable trials that have ended, with their curves, in the order of their ends."""
        found: dict[str, Trial] = {}
        for event in filter(None, self._events()):
            if event["event"] == "TrialEnded" and (trial := _trial(event.get("trial"))):
                found[trial.trial_id] = trial
        return list(found.values())

    def _events(self) -> Iterator[dict[str, Any] | None]:
        """Each event; None for a line that is none."""
        if kind_of(self._path) != "file":
            return
        for line in lines_of(self._path, _LONGEST_LINE):
            if line != b"":
                yield _event(line)


def _event(line: bytes | None) -> dict[str, Any] | None:
    try:
        event = parse_json(line or b"")
    except ValueError:
        return None
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        return None
    time_s = event.get("time_s")
    is_time = (
        isinstance(time_s, int | float) and not isinstance(time_s, bool) and abs(time_s) < 1e12
    )
    return event if is_time and math.isfinite(float(time_s or 0)) else None


def _trial(plain: Any) -> Trial | None:
    """A trial as an event tells it, where null stands for a metric that is no finite number."""
    try:
        for epoch in plain["epochs"]:
            metrics = epoch["metrics"].items()
            epoch["metrics"] = {
                name: math.nan if value is None else value for name, value in metrics
            }
        return _TRIAL.validate_python(plain)
    except (TypeError, KeyError, AttributeError, ValidationError):
        return None
