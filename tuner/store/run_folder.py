"""A run's folder under reports/: what is written there, and how it is read back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pydantic import TypeAdapter, ValidationError

from tuner.errors import ConfigurationError
from tuner.records.results import SCHEMA_VERSION, Results
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.store.files import json_line, write_atomically, write_text

_RESULTS = TypeAdapter(Results)
_TRIAL_COLUMNS = (
    "trial_id", "status", "score", "epochs", "duration_s", "error",
    "bracket", "rung", "parent_id", "first_epoch", "last_epoch", "n_parameters",
)  # fmt: skip


class RunFolder:
    """The files of one run; trials are appended as they end, so that a crash loses none of them."""

    def __init__(self, path: Path) -> None:
        """Take a folder's path; it is made by `create`."""
        self.path = path

    @property
    def report(self) -> Path:
        """The HTML page."""
        return self.path / "report.html"

    @property
    def model(self) -> Path:
        """The winner, plain Keras layers only."""
        return self.path / "model.keras"

    @property
    def recipe(self) -> Path:
        """The sealed recipe."""
        return self.path / "best.yaml"

    @property
    def log(self) -> Path:
        """The log."""
        return self.path / "run.log"

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints."""
        return self.path / "state"

    def create(self) -> None:
        """Make the folder.

        Raises:
            ConfigurationError: If it is there already, or cannot be made or written to.
        """
        try:
            self.path.mkdir(parents=True)
            self.checkpoints.mkdir()
            write_text(self.path / ".writable", "")
            (self.path / ".writable").unlink()
        except FileExistsError as error:
            raise ConfigurationError(
                f"{self.path}: a run of this name has just been started", "start this one again in a second."
            ) from error
        except OSError as error:
            raise ConfigurationError(
                f"{self.path}: cannot write there: {error.strerror}", "choose another folder with --out."
            ) from error

    def write_config(self, config: Mapping[str, Any]) -> None:
        """Write the fully resolved configuration."""
        write_text(self.path / "config.yaml", yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))

    def append_event(self, event: Mapping[str, Any]) -> None:
        """Add a line to events.jsonl."""
        with open(self.path / "events.jsonl", "a", encoding="utf-8") as file:
            file.write(json_line(event) + "\n")

    def append_trial(self, trial: Trial, names: Sequence[str]) -> None:
        """Add a trial to trials.csv and its epochs to curves.csv.

        Args:
            trial: It has ended.
            names: The searched hyperparameters, in the order of the columns.
        """
        row = {
            "trial_id": trial.trial_id,
            "status": trial.status,
            "score": _cell(trial.score),
            "epochs": len(trial.epochs),
            "duration_s": round(trial.duration_s, 3),
            "error": _cell(trial.error),
            "bracket": trial.bracket,
            "rung": trial.rung,
            "parent_id": _cell(trial.parent_id),
            "first_epoch": trial.first_epoch,
            "last_epoch": trial.last_epoch,
            "n_parameters": _cell(trial.n_parameters),
        }
        values = {f"values.{name}": _value_cell(trial.values.get(name)) for name in names}
        _append(self.path / "trials.csv", [*_TRIAL_COLUMNS, *values], [row | values])
        metrics = list(dict.fromkeys(name for epoch in trial.epochs for name in epoch.metrics))
        if metrics:
            rows = [
                {"trial_id": trial.trial_id, "epoch": e.epoch, "duration_s": round(e.duration_s, 3)} | dict(e.metrics)
                for e in trial.epochs
            ]
            _append(self.path / "curves.csv", ["trial_id", "epoch", "duration_s", *metrics], rows)

    def read_trials(self) -> list[Trial]:
        """The trials with their curves, as far as they were written."""
        curves: dict[str, list[EpochMetrics]] = {}
        for row in _read(self.path / "curves.csv"):
            metrics = {k: float(v) for k, v in row.items() if k not in ("trial_id", "epoch", "duration_s") and v}
            epoch = EpochMetrics(epoch=int(row["epoch"]), metrics=metrics, duration_s=float(row["duration_s"]))
            curves.setdefault(row["trial_id"], []).append(epoch)
        return [_trial(row, curves.get(row["trial_id"], [])) for row in _read(self.path / "trials.csv")]

    def write_results(self, results: Results) -> None:
        """Write results.json."""
        write_text(self.path / "results.json", _RESULTS.dump_json(results, indent=2).decode() + "\n")

    def read_results(self) -> Results:
        """Read results.json.

        Raises:
            ConfigurationError: If it is missing or is not what this version writes.
        """
        path = self.path / "results.json"
        try:
            results = _RESULTS.validate_json(path.read_bytes())
        except FileNotFoundError as error:
            raise ConfigurationError(
                f"{self.path}: there is no results.json, so no finished run is there",
                "give the folder of a finished run, such as reports/digits/20260131-101500-0a1b2c3d.",
            ) from error
        except (OSError, ValidationError) as error:
            raise ConfigurationError(
                f"{path}: cannot be read as results of this version: {str(error).splitlines()[0]}",
                "run the search again, or use the version of tuner that wrote it.",
            ) from error
        if results.schema_version != SCHEMA_VERSION:
            raise ConfigurationError(
                f"{path}: its schema_version is {results.schema_version}, but this version reads {SCHEMA_VERSION}",
                "run the search again, or use the version of tuner that wrote it.",
            )
        return results

    def write_predictions(self, labels: np.ndarray, probabilities: Mapping[str, np.ndarray]) -> None:
        """Write the test labels (n,) and the probabilities (n, classes) of each model and seed."""
        with write_atomically(self.path / "predictions.npz") as file:
            arrays: dict[str, Any] = {name: p.astype("float32") for name, p in probabilities.items()}
            np.savez_compressed(file, labels=labels, **arrays)

    def remove_checkpoints(self) -> None:
        """Delete the checkpoints: nothing continues a run that has ended."""
        for path in self.checkpoints.glob("*.npz"):
            path.unlink()


def _cell(value: Any) -> Any:
    """A value for a CSV: lower-case booleans and empty cells for None."""
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, bool | list) else value


def _value_cell(value: Any) -> Any:
    """A hyperparameter's cell, of which `_value` gives the value back: text that reads as a number gets quotes."""
    return json.dumps(value) if isinstance(value, str) and _value(value) != value else _cell(value)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _append(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Add rows; where they bring new columns, the file is written again with all of them."""
    known = _columns(path)
    union = list(dict.fromkeys([*known, *columns]))
    if union != known:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, union)
        writer.writeheader()
        writer.writerows([*_read(path), *rows])
        write_text(path, text.getvalue())
        return
    with open(path, "a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, known).writerows(rows)


def _columns(path: Path) -> list[str]:
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return next(csv.reader(file), [])


def _read(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _trial(row: Mapping[str, str], epochs: Sequence[EpochMetrics]) -> Trial:
    values = {k.removeprefix("values."): _value(v) for k, v in row.items() if k.startswith("values.") and v}
    return Trial(
        trial_id=row["trial_id"],
        values=values,
        bracket=int(row["bracket"]),
        rung=int(row["rung"]),
        parent_id=row["parent_id"] or None,
        first_epoch=int(row["first_epoch"]),
        last_epoch=int(row["last_epoch"]),
        score=float(row["score"]) if row["score"] else None,
        error=row["error"] or None,
        epochs=tuple(epochs),
        duration_s=float(row["duration_s"]),
        n_parameters=int(row["n_parameters"]) if row["n_parameters"] else None,
    )
