"""A run's folder under reports/: what is written there, and how it is read back."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import yaml
from pydantic import TypeAdapter

from tuner.errors import ConfigurationError
from tuner.records.results import SCHEMA_VERSION, Results
from tuner.store.files import json_line, write_atomically, write_text
from tuner.store.search_log import SearchLog

_RESULTS = TypeAdapter(Results)
_NUMBERS = re.compile(r"\[\s*(?:-?[\d.e+-]+,?\s*)+\]")


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        """Take a folder's path; it is made by `create`."""
        self.path = path

    @property
    def is_unfinished(self) -> bool:
        """Whether the run was begun and has not ended, so that it can be resumed."""
        return self._open.is_file() and self._config.is_file()

    @property
    def report(self) -> Path:
        """The HTML page."""
        return self.path / "report.html"

    @property
    def model(self) -> Path:
        """The winner, plain Keras layers only; `model_file` finds what stands in its place."""
        return self.path / "model.keras"

    @property
    def recipe(self) -> Path:
        """The sealed recipe."""
        return self.path / "best.yaml"

    @property
    def gallery(self) -> Path:
        """Small pictures for the page."""
        return self.path / "gallery"

    @property
    def log(self) -> Path:
        """The log."""
        return self.path / "run.log"

    @property
    def features(self) -> Path:
        """Where frozen networks' features are kept if the data's own cache cannot be written."""
        return self.state / "features"

    @property
    def state(self) -> Path:
        """What a run needs to go on: its log of trials, checkpoints, and data for its workers."""
        return self.path / "state"

    @property
    def search_log(self) -> SearchLog:
        """Every start and end of a trial."""
        return SearchLog(self.state / "trials.jsonl")

    @property
    def _open(self) -> Path:
        return self.state / "open"

    @property
    def _config(self) -> Path:
        return self.path / "config.yaml"

    @property
    def _events(self) -> Path:
        return self.path / "events.jsonl"

    def create(self) -> None:
        """Make the folder; one that a killed command has made and not begun to fill is taken over.

        Raises:
            ConfigurationError: If a run is there already, or the folder cannot be made or written to.
        """
        try:
            has_run = self._config.exists()
            if not has_run:
                self.state.mkdir(parents=True, exist_ok=True)
                write_text(self._open, "")
        except OSError as error:
            raise ConfigurationError(
                f"{self.path}: cannot write there: {error.strerror}", "choose another folder with --out."
            ) from error
        if has_run:
            raise ConfigurationError(
                f"{self.path}: a run of this name has just been started", "start this one again in a second."
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other command from working on this run; a killed one holds it no longer.

        Raises:
            ConfigurationError: If another command works on it.
        """
        # Outside of the state, which goes while the lock is held.
        lock, owner = filelock.FileLock(self.path / ".lock"), self.state / "owner"
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:
            who = owner.read_text(encoding="utf-8") if owner.exists() else "unknown"
            raise ConfigurationError(
                f"{self.path}: another command (process {who}) is working on this run",
                "wait for its end, or start a run of its own with --fresh.",
            ) from error
        except (OSError, NotImplementedError):
            # Some network drives lock nothing; docs/running.md says what is safe there.
            pass
        try:
            # What a killed command was writing; whole files only count.
            for part in self.path.rglob(".*.tmp") if lock.is_locked else ():
                with suppress(OSError):
                    part.unlink()
            write_text(owner, str(os.getpid()))
            yield
        finally:
            lock.release()
            if not self.is_unfinished:
                with suppress(OSError):
                    (self.path / ".lock").unlink(missing_ok=True)

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write the fully resolved configuration."""
        write_text(self._config, yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))

    def read_config(self) -> dict[str, Any]:
        """Read the fully resolved configuration.

        Raises:
            ConfigurationError: If it cannot be read.
        """
        try:
            config = yaml.safe_load(self._config.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise ConfigurationError(
                f"{self._config}: cannot be read, so the run cannot be resumed: {error}", "start again with --fresh."
            ) from error
        return config if isinstance(config, dict) else {}

    def append_event(self, event: Mapping[str, Any]) -> None:
        """Add a line to events.jsonl."""
        with open(self._events, "a", encoding="utf-8") as file:
            file.write(json_line(event) + "\n")

    def mend_events(self) -> None:
        """End a line of events.jsonl that a crash has cut off, so that the next event does not continue it."""
        if not self._events.exists():
            return
        with open(self._events, "r+b") as file:
            file.seek(0, os.SEEK_END)
            if file.tell() and file.seek(-1, os.SEEK_END) and file.read() != b"\n":
                file.write(b"\n")

    def spent_s(self, stage: str | None = None) -> float:
        """Seconds that the sessions of this run have taken so far, by its events; only those of a stage, if named."""
        spent, start, last = 0.0, None, 0.0
        for event in self._read_events():
            name, last_before, last = event["event"], last, event["time_s"]
            if name == "RunStarted" or (stage and name == "StageStarted"):
                end = last_before if name == "RunStarted" else last
                spent += end - start if start is not None else 0.0
                begins = stage is None or event.get("title") == stage
                start = last if begins else None
        return spent + (last - start if start is not None else 0.0)

    def _read_events(self) -> Iterator[dict[str, Any]]:
        if not self._events.exists():
            return
        with open(self._events, encoding="utf-8") as file:
            for line in file:
                # A line may have been cut off by a crash.
                with suppress(ValueError):
                    yield json.loads(line)

    def finish(self) -> None:
        """Mark the run as ended, in one step, then delete its state; what cannot be deleted does no harm."""
        self._open.unlink()
        shutil.rmtree(self.state, ignore_errors=True)

    def write_results(self, results: Results) -> None:
        """Write results.json."""
        text = _RESULTS.dump_json(results, indent=2).decode()
        # A row of a confusion matrix on one line: with many classes there are a million counts.
        write_text(self.path / "results.json", _NUMBERS.sub(lambda m: " ".join(m[0].split()), text) + "\n")

    def read_results(self) -> Results:
        """Read results.json.

        Raises:
            ConfigurationError: If it is missing or is not what this version writes.
        """
        path = self.path / "results.json"
        try:
            plain = json.loads(path.read_bytes())
            version = plain.get("schema_version") if isinstance(plain, dict) else None
            if isinstance(version, int) and version != SCHEMA_VERSION:
                raise ConfigurationError(
                    f"{path}: its schema_version is {version}, but this version reads {SCHEMA_VERSION}",
                    "run the search again, or use the version of tuner that wrote it.",
                )
            results = _RESULTS.validate_python(plain)
        except FileNotFoundError as error:
            raise ConfigurationError(
                f"{self.path}: there is no results.json, so no finished run is there",
                "give the folder of a finished run, such as reports/digits/20260131-101500-0a1b2c3d.",
            ) from error
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"{path}: cannot be read as results of this version: {str(error).splitlines()[0]}",
                "run the search again, or use the version of tuner that wrote it.",
            ) from error
        return results

    def write_split(self, rows: Iterable[Sequence[str]]) -> None:
        """Write split.csv; rows of origin, class, part, group, reason if dropped, and folds that it trains in."""
        header = ("image", "class", "part", "group", "reason", "trains_in")
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([header, *rows])
        write_text(self.path / "split.csv", text.getvalue())

    def write_pictures(self, pictures: Mapping[str, bytes]) -> None:
        """Write the files of gallery/; those of before go."""
        shutil.rmtree(self.gallery, ignore_errors=True)
        self.gallery.mkdir(exist_ok=True)
        for name, content in pictures.items():
            (self.gallery / name).write_bytes(content)

    def read_pictures(self) -> dict[str, bytes]:
        """The files of gallery/ by name; a run without any has none."""
        return {path.name: path.read_bytes() for path in sorted(self.gallery.glob("*")) if path.is_file()}

    def write_predictions(self, labels: np.ndarray, probabilities: Mapping[str, np.ndarray]) -> None:
        """Write the test labels (n,) and the probabilities (n, classes) of each model and seed."""
        with write_atomically(self.path / "predictions.npz") as file:
            arrays: dict[str, Any] = {name: p.astype("float32", copy=False) for name, p in probabilities.items()}
            np.savez_compressed(file, labels=labels, **arrays)
