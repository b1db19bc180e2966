"""trials.csv and curves.csv: every trial that ended, for people and their spreadsheets."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

from tuner.names import spreadsheet_cell, text_of_cell
from tuner.records.error_text import reason_of, short_line
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.space.constraints import NOT_KNOWN, Footprint
from tuner.store.files.reading import DamagedFileError, read_whole
from tuner.store.files.whole_files import write_text

_Parsed = TypeVar("_Parsed")
# Of a million trials.
_MOST_BYTES = 1_000_000_000

_CURVE_COLUMNS = ("trial_id", "epoch", "duration_s")
_METRIC = "metrics."
_TAKES = "takes."


class TrialTables:
    """The two tables of a run; a trial is appended as it ends."""

    def __init__(self, folder: Path, names: Sequence[str] = ()) -> None:
        """Take the run's folder and the searched hyperparameters, in the order of the columns."""
        self._trials, self._curves = folder / "trials.csv", folder / "curves.csv"
        self._names = names

    def keep(self, trial: Trial) -> None:
        """Add a trial to trials.csv and its epochs to curves.csv."""
        row = self._row(trial)
        _append(self._trials, list(row), [row])
        rows = _curve_rows(trial)
        if rows:
            _append(self._curves, list(rows[0]), rows)

    def rewrite(self, trials: Sequence[Trial]) -> None:
        """Rewrite both tables: a crash may have come between a trial's end and its row.

        It may also have come within the row.
        """
        _write(self._trials, [self._row(trial) for trial in trials])
        _write(self._curves, [row for trial in trials for row in _curve_rows(trial)])

    def read(self) -> list[Trial]:
        """The trials with their curves, as far as they were written.

        Raises:
            DamagedFileError: If a table is not what was written, with its first wrong row; or a
                trial has lost epochs.
        """
        curves: dict[str, list[EpochMetrics]] = {}
        for trial_id, epoch in _parsed(self._curves, _epoch):
            curves.setdefault(trial_id, []).append(epoch)
        found: dict[str, Trial] = {}
        for number, (trial, n_epochs) in enumerate(_parsed(self._trials, _trial), 2):
            if trial.trial_id in found:
                raise _damaged(self._trials, f"trial {trial.trial_id} is there twice", number)
            epochs = tuple(curves.pop(trial.trial_id, ()))
            if len(epochs) != n_epochs:
                what = (
                    f"trial {trial.trial_id} has {len(epochs)} epochs, but {n_epochs} in"
                    f" {self._trials.name}"
                )
                raise _damaged(self._curves, what)
            found[trial.trial_id] = replace(trial, epochs=epochs)
        if curves:
            raise _damaged(
                self._trials, f"trial {next(iter(curves))} of {self._curves.name} is missing"
            )
        return list(found.values())

    def _row(self, trial: Trial) -> dict[str, Any]:
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
            "model": _cell(trial.model),
            "origin": trial.origin,
            **_taken(trial),
        }
        return row | {f"values.{name}": _value_cell(trial.values.get(name)) for name in self._names}


def _taken(trial: Trial) -> dict[str, Any]:
    """The columns of what a model takes; none where that was not measured."""
    if trial.takes == NOT_KNOWN:
        return {}
    return {f"{_TAKES}{name}": _cell(value) for name, value in asdict(trial.takes).items()}


def _curve_rows(trial: Trial) -> list[dict[str, Any]]:
    of_epochs = [
        {_metric_column(name): value for name, value in e.metrics.items()} for e in trial.epochs
    ]
    empty = dict.fromkeys((name for metrics in of_epochs for name in metrics), "")
    return [
        {
            "trial_id": trial.trial_id,
            "epoch": e.epoch,
            "duration_s": round(e.duration_s, 3),
            **empty,
            **metrics,
        }
        for e, metrics in zip(trial.epochs, of_epochs, strict=True)
    ]


def _metric_column(name: str) -> str:
    """The column of a metric; a builder of your own may call one `epoch`."""
    is_taken = name in _CURVE_COLUMNS or name.startswith(_METRIC)
    return f"{_METRIC}{name}" if is_taken else name


def _cell(value: Any) -> Any:
    """A value for a CSV: lower-case booleans and empty cells for None."""
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, bool | list) else value


def _value_cell(value: Any) -> Any:
    """A hyperparameter's cell, from which `_value` restores the value.

    Empty text and text that looks like a number get quotes.
    """
    return (
        json.dumps(value)
        if isinstance(value, str) and (not value or _value(value) != value)
        else _cell(value)
    )


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _append(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows; where they bring new columns, the file is written again with all of them."""
    known = _columns(path)
    if set(columns) - set(known):
        _write(path, [*_read(path), *rows])
        return
    with open(path, "a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, known).writerows(map(_safe, rows))


def _write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        path.unlink(missing_ok=True)
        return
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)))
    writer.writerow({name: spreadsheet_cell(name) for name in writer.fieldnames})
    writer.writerows(map(_safe, rows))
    write_text(path, text.getvalue())


def _safe(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row that no spreadsheet takes for formulas: names and errors are other people's."""
    return {name: spreadsheet_cell(cell) for name, cell in row.items()}


def _columns(path: Path) -> list[str]:
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [text_of_cell(name) for name in next(csv.reader(file), [])]


def _read(path: Path) -> list[dict[str, str]]:
    """The rows of a table; none where there is no such file.

    Raises:
        DamagedFileError: If it is no table.
    """
    try:
        # A spreadsheet puts a byte order mark before what it saves.
        text = read_whole(path, _MOST_BYTES).decode("utf-8-sig")
        header, *rows = [
            row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row
        ] or [[]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, csv.Error) as error:
        raise _damaged(path, f"cannot be read as a table: {short_line(str(error))}") from error
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise _damaged(path, f"{len(row)} cells under {len(header)} columns", number)
    if text and not text.endswith("\n"):
        raise _damaged(path, "its last row is cut off")
    names = list(map(text_of_cell, header))
    return [dict(zip(names, map(text_of_cell, row), strict=True)) for row in rows]


def _parsed(path: Path, parse: Callable[[Mapping[str, str]], _Parsed]) -> Iterator[_Parsed]:
    """What the rows of a table say."""
    for number, row in enumerate(_read(path), 2):
        try:
            yield parse(row)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _damaged(path, f"cannot be read ({reason_of(error)})", number) from error


def _damaged(path: Path, what: str, row: int | None = None) -> DamagedFileError:
    where = path if row is None else f"{path}: row {row}"
    return DamagedFileError(
        f"{where}: {what}", "restore the file from a copy; nothing else of the run depends on it."
    )


def _epoch(row: Mapping[str, str]) -> tuple[str, EpochMetrics]:
    metrics = {
        k.removeprefix(_METRIC): float(v) for k, v in row.items() if k not in _CURVE_COLUMNS and v
    }
    return row["trial_id"], EpochMetrics(
        epoch=int(row["epoch"]), metrics=metrics, duration_s=float(row["duration_s"])
    )


def _trial(row: Mapping[str, str]) -> tuple[Trial, int]:
    """A trial without its epochs, and how many it has."""
    values = {
        k.removeprefix("values."): _value(v)
        for k, v in row.items()
        if k.startswith("values.") and v
    }
    trial = Trial(
        trial_id=row["trial_id"],
        values=values,
        bracket=int(row["bracket"]),
        rung=int(row["rung"]),
        parent_id=row["parent_id"] or None,
        first_epoch=int(row["first_epoch"]),
        last_epoch=int(row["last_epoch"]),
        score=_finite(row["score"]) if row["score"] else None,
        error=row["error"] or None,
        duration_s=_finite(row["duration_s"]),
        n_parameters=int(row["n_parameters"]) if row["n_parameters"] else None,
        is_stopped=row["status"] == "stopped",
        # Tables of earlier versions have neither column.
        model=row.get("model") or None,
        origin=row.get("origin", ""),
        takes=_footprint(row),
    )
    if not trial.trial_id or trial.status != row["status"]:
        raise ValueError(f"its status is {row['status']}, its score {row['score']}")
    return trial, int(row["epochs"])


def _footprint(row: Mapping[str, str]) -> Footprint:
    """What a model takes; nothing is known of it in tables of one objective."""
    cells: dict[str, Any] = {
        name: float(text) if "latency" in name else int(text)
        for column, text in row.items()
        if text and (name := column.removeprefix(_TAKES)) != column
    }
    if not all(map(math.isfinite, cells.values())):
        raise ValueError("a cost of its model is not a finite number")
    return Footprint(**cells)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a finite number")
    return number
