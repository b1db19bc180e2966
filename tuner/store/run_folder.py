"""A run's folder under reports/: what is written there, and how it is read back."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import filelock
import numpy as np
from pydantic import TypeAdapter

from tuner.errors import ConfigurationError
from tuner.names import spreadsheet_cell
from tuner.records.error_text import first_line, short_line
from tuner.records.results import SCHEMA_VERSION, Results
from tuner.store.event_log import EventLog
from tuner.store.files.leftovers import sweep
from tuner.store.files.nearest_path import did_you_mean_path
from tuner.store.files.plain_yaml import plain_yaml, read_plain_yaml
from tuner.store.files.reading import DamagedFileError, kind_of, read_json, read_whole
from tuner.store.files.whole_files import write_atomically, write_text
from tuner.store.search_log import SearchLog

_RESULTS = TypeAdapter(Results)
# Far more than a run writes: a confusion matrix of 2,000 classes has 4 million counts.
_MOST_RESULTS_BYTES = 500_000_000
_MOST_CONFIG_BYTES = 5_000_000
_MOST_PICTURE_BYTES = 20_000_000
RECIPE = "best.yaml"
_FILES = (
    "config.yaml", "run.log", "events.jsonl", "split.csv", "trials.csv", "curves.csv",
    "results.json", "report.html", RECIPE, "model.keras", "predictions.npz", "state/open",
    "state/owner", "state/trials.jsonl",
)  # fmt: skip
_FOLDERS = ("", "state", "gallery", "models")
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)")
_NUMBERS = re.compile(r"\[\s*(?:-?[\d.e+-]+,?\s*)+\]")


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        """Take a folder's path; it is made by `create`."""
        self.path = path

    @property
    def is_unfinished(self) -> bool:
        """Whether the run was begun and has not ended, so that it can be resumed."""
        try:
            return self._open.is_file() and self._config.is_file()
        except OSError:
            # A folder that may not be looked into is nobody's to go on with.
            return False

    @property
    def report(self) -> Path:
        """The HTML page."""
        return self.path / "report.html"

    @property
    def model(self) -> Path:
        """The recommended model; `model_file` finds what stands in its place."""
        return self.path / "model.keras"

    @property
    def recipe(self) -> Path:
        """The sealed recipe of the recommended model; before the comparison, of the winner."""
        return self.path / RECIPE

    @property
    def models(self) -> Path:
        """Model and recipe of each contender, by its name."""
        return self.path / "models"

    def model_of(self, name: str) -> Path:
        """The model of a contender, plain Keras layers only; `model_file` as for `model`."""
        return self.models / f"{name}.keras"

    def recipe_of(self, name: str) -> Path:
        """The sealed recipe of a contender."""
        return self.models / f"{name}.yaml"

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
    def events(self) -> EventLog:
        """What the run has told."""
        return EventLog(self.path / "events.jsonl")

    def create(self) -> None:
        """Make the folder; one that a killed command has made and not begun to fill is taken over.

        Raises:
            ConfigurationError: If a run is there already, or the folder cannot be made or written
                to.
        """
        try:
            has_run = self._config.exists()
            if not has_run:
                self.state.mkdir(parents=True, exist_ok=True)
                # Not through a temporary file: a command that was started in the same second, and
                # has the lock by now, sweeps those away.
                self._open.touch()
        except OSError as error:
            raise ConfigurationError(
                f"{self.path}: cannot write there: {error.strerror}",
                "choose another folder with --out.",
            ) from error
        if has_run:
            raise ConfigurationError(
                f"{self.path}: a run of this name has just been started",
                "start this one again in a second.",
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other command from working on this run; a killed one holds it no longer.

        Raises:
            ConfigurationError: If another command works on it, or something else lies where one of
                its files belongs.
        """
        self.check_places()
        # Outside of the state, which goes while the lock is held.
        lock, owner = filelock.FileLock(self.path / ".lock"), self.state / "owner"
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:
            who = ""
            # One that has just begun has not said so yet.
            with suppress(OSError):
                who = (
                    f" (process {short_line(owner.read_text(encoding='utf-8', errors='replace'))})"
                )
            raise ConfigurationError(
                f"{self.path}: another command{who} is working on this run",
                "wait until it ends, or start a new run with --fresh.",
            ) from error
        except (OSError, NotImplementedError):
            # Some network drives lock nothing; docs/running.md says what is safe there.
            pass
        try:
            # What a killed command was writing; whole files only count. Beside the state, `train`
            # may be at work.
            sweep(self.state.rglob(".*"), is_alone=lock.is_locked)
            for place in (self.path, self.gallery, self.models):
                sweep(place.glob(".*"))
            write_text(owner, str(os.getpid()))
            yield
        finally:
            lock.release()
            if not self.is_unfinished:
                with suppress(OSError):
                    (self.path / ".lock").unlink(missing_ok=True)

    def check_places(self) -> None:
        """Make sure that nothing lies in the place of a file or a folder of the run.

        Raises:
            DamagedFileError: For the first that is something else, or cannot be read and written.
        """
        wanted = {self.path / name: "file" for name in _FILES} | {
            self.path / name: "folder" for name in _FOLDERS
        }
        of_models = [*self.models.glob("*.keras"), *self.models.glob("*.yaml")]
        wanted |= dict.fromkeys([*self.state.glob("*.npz"), *of_models], "file")
        for path, kind in wanted.items():
            found = kind_of(path)
            if found not in ("", kind):
                raise DamagedFileError(
                    f"{path}: is a {found}, but a {kind} of the run belongs there",
                    "move it away, and put back what the run wrote if you have it; --fresh starts a"
                    " new run.",
                )
            # A run that is under way may have deleted a checkpoint since.
            if found and not os.access(path, os.R_OK | os.W_OK) and kind_of(path):
                raise DamagedFileError(
                    f"{path}: you have no permission to read and write it",
                    f"give yourself access to this {kind}.",
                )

    def started_at(self) -> str:
        """When the run began, as its configuration says; else as its name does."""
        with suppress(ConfigurationError):
            found = self.read_config().get("started_at")
            if isinstance(found, str):
                return found
        return time_of_name(self.path.name)

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write the fully resolved configuration."""
        write_text(self._config, plain_yaml(dict(config)))

    def read_config(self) -> dict[str, Any]:
        """Read the fully resolved configuration.

        Raises:
            ConfigurationError: If it cannot be read.
        """
        try:
            config = read_plain_yaml(self._config, _MOST_CONFIG_BYTES)
        except (OSError, ValueError) as error:
            raise DamagedFileError(
                f"{self._config}: cannot be read, so the run cannot be resumed:"
                f" {short_line(str(error))}",
                "restore the file, or start again with --fresh.",
            ) from error
        if not isinstance(config, dict):
            raise DamagedFileError(
                f"{self._config}: holds no settings, so the run cannot be resumed",
                "restore the file, or start again with --fresh.",
            )
        return config

    def finish(self) -> None:
        """Mark the run as ended in one step, then delete its state.

        State that cannot be deleted does no harm.
        """
        self._open.unlink()
        shutil.rmtree(self.state, ignore_errors=True)

    def write_results(self, results: Results) -> None:
        """Write results.json."""
        text = _RESULTS.dump_json(results, indent=2).decode()
        # A row of a confusion matrix on one line: with many classes there are a million counts.
        write_text(
            self.path / "results.json", _NUMBERS.sub(lambda m: " ".join(m[0].split()), text) + "\n"
        )

    def read_results(self) -> Results:
        """Read results.json.

        Raises:
            ConfigurationError: If it is missing or is not what this version writes.
        """
        path = self.path / "results.json"
        hint = "run the search again, or use the version of tuner that wrote it."
        try:
            plain = read_json(path, _MOST_RESULTS_BYTES)
            version = plain.get("schema_version") if isinstance(plain, dict) else None
            if isinstance(version, int) and version != SCHEMA_VERSION:
                raise DamagedFileError(
                    f"{path}: its schema_version is {version}, but this version reads"
                    f" {SCHEMA_VERSION}",
                    hint,
                )
            results = _RESULTS.validate_python(plain)
        except FileNotFoundError as error:
            raise ConfigurationError(
                f"{self.path}: there is no results.json, so no finished run is there",
                f"{did_you_mean_path(self.path)}give the folder of a finished run, "
                "such as reports/digits/20260131-101500-0a1b2c3d.",
            ) from error
        except (OSError, ValueError, RecursionError) as error:
            raise DamagedFileError(
                f"{path}: cannot be read as results of this version: {first_line(error)}", hint
            ) from error
        return results

    def write_split(self, rows: Iterable[Sequence[str]]) -> bool:
        """Write split.csv.

        Rows are of origin, class, part, group, reason if dropped, and folds that it trains in.

        Returns:
            Whether it was not there, or said something else.
        """
        header = ("image", "class", "part", "group", "reason", "trains_in")
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([header, *(map(spreadsheet_cell, row) for row in rows)])
        path, content = self.path / "split.csv", text.getvalue()
        wanted = content.encode("utf-8")
        with suppress(OSError, ValueError):
            if read_whole(path, len(wanted)) == wanted:
                return False
        write_text(path, content)
        return True

    def write_pictures(self, pictures: Mapping[str, bytes]) -> None:
        """Write the files of gallery/; those of before go."""
        shutil.rmtree(self.gallery, ignore_errors=True)
        self.gallery.mkdir(exist_ok=True)
        for name, content in pictures.items():
            (self.gallery / name).write_bytes(content)

    def read_pictures(self) -> dict[str, bytes]:
        """The files of gallery/ by name; a run without any has none."""
        found = {}
        for path in sorted(self.gallery.glob("*")):
            # A picture that cannot be had is missing on the page, and nothing else is.
            with suppress(OSError, ValueError):
                found[path.name] = read_whole(path, _MOST_PICTURE_BYTES)
        return found

    def write_predictions(
        self, labels: np.ndarray, probabilities: Mapping[str, np.ndarray]
    ) -> None:
        """Write the test labels (n,) and the probabilities (n, classes) of each model and seed."""
        with write_atomically(self.path / "predictions.npz") as file:
            arrays: dict[str, Any] = {
                name: p.astype("float32", copy=False) for name, p in probabilities.items()
            }
            np.savez_compressed(file, labels=labels, **arrays)


def time_of_name(name: str) -> str:
    """The time that the name of a run holds, in ISO 8601, UTC; empty where it is another name."""
    found = _TIME.search(name)
    return "{}-{}-{}T{}:{}:{}Z".format(*found.groups()) if found else ""
