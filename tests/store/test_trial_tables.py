"""trials.csv and curves.csv: what is kept is what is read back."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from tests.store.trials import make_trial
from tuner.errors import ConfigurationError
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.space.constraints import Footprint
from tuner.store.trial_tables import TrialTables

NAMES = ["filters", "learning_rate"]


def round_trip(tmp_path: Path, *trials: Trial, names: list[str]) -> list[Trial]:
    for trial in trials:
        TrialTables(tmp_path, names).keep(trial)
    return TrialTables(tmp_path).read()


def test_trials_come_back_to_the_last_digit(tmp_path: Path) -> None:
    trials = [
        make_trial(0),
        make_trial(2000, parent_id="1000", rung=1, first_epoch=2, last_epoch=2),
    ]
    assert round_trip(tmp_path, *trials, names=["filters", "learning_rate"]) == trials


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        3,
        0.05,
        "adam",
        "a, b",
        'say "x"',
        "two\nlines",
        "true",
        "7",
        "1e-3",
        '"7"',
        "[1]",
        "null",
        "",
    ],
)
def test_value_of_a_hyperparameter_keeps_its_type(tmp_path: Path, value: Any) -> None:
    (found,) = round_trip(tmp_path, make_trial(values={"v": value}), names=["v"])
    assert found.values == {"v": value}
    assert type(found.values["v"]) is type(value)


def test_inactive_hyperparameters_are_empty_cells_and_stay_away(tmp_path: Path) -> None:
    trials = [make_trial(0, values={"a": 1}), make_trial(1, values={"b": False})]
    assert [t.values for t in round_trip(tmp_path, *trials, names=["a", "b"])] == [
        {"a": 1},
        {"b": False},
    ]


def test_fixed_values_are_no_columns(tmp_path: Path) -> None:
    (found,) = round_trip(tmp_path, make_trial(values={"a": 1, "fixed": 2}), names=["a"])
    assert found.values == {"a": 1}


def test_failed_trial_keeps_its_reason_with_commas_quotes_and_newlines(tmp_path: Path) -> None:
    failed = make_trial(
        1, score=None, error='ValueError: "a", b\nand c', epochs=(), n_parameters=None
    )
    trials = round_trip(tmp_path, make_trial(0), failed, names=["filters", "learning_rate"])
    assert trials[1] == failed
    assert trials[1].status == "failed"


def test_trial_that_failed_after_some_epochs_keeps_them(tmp_path: Path) -> None:
    failed = make_trial(
        0, score=None, error="the training loss became nan in epoch 2", last_epoch=3
    )
    assert round_trip(tmp_path, failed, names=["filters", "learning_rate"]) == [failed]


def test_tables_have_a_header_of_their_own_names(tmp_path: Path) -> None:
    TrialTables(tmp_path, ["filters"]).keep(make_trial())
    with open(tmp_path / "trials.csv", newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert list(row)[:6] == ["trial_id", "status", "score", "epochs", "duration_s", "error"]
    assert (row["trial_id"], row["status"], row["epochs"], row["values.filters"]) == (
        "0000",
        "completed",
        "1",
        "32",
    )
    with open(tmp_path / "curves.csv", newline="", encoding="utf-8") as file:
        assert next(csv.reader(file)) == ["trial_id", "epoch", "duration_s", "loss", "val_accuracy"]


def test_metrics_that_a_later_trial_brings_are_kept(tmp_path: Path) -> None:
    def trial(number: int, **metrics: float) -> Trial:
        return make_trial(
            number, epochs=(EpochMetrics(epoch=1, metrics=metrics, duration_s=0.125),)
        )

    trials = [
        trial(0, loss=1 / 3),
        trial(1, loss=0.5, val_f1=0.25),
        trial(2, val_f1=0.75),
        trial(3, auc=1e-05),
    ]
    assert round_trip(tmp_path, *trials, names=["filters", "learning_rate"]) == trials
    with open(tmp_path / "curves.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["trial_id", "epoch", "duration_s", "loss", "val_f1", "auc"]
    assert [row[0] for row in rows] == ["0000", "0001", "0002", "0003"]
    assert {path.name for path in tmp_path.iterdir()} == {"trials.csv", "curves.csv"}


def test_metric_that_is_called_like_a_column_is_kept_beside_it(tmp_path: Path) -> None:
    metrics = {"epoch": 0.5, "trial_id": 1.0, "metrics.epoch": 2.0, "val_accuracy": 0.5}
    trial = make_trial(0, epochs=(EpochMetrics(epoch=1, metrics=metrics, duration_s=1.0),))
    assert round_trip(tmp_path, trial, names=["filters", "learning_rate"]) == [trial]


def test_folder_without_trials_has_none(tmp_path: Path) -> None:
    assert TrialTables(tmp_path).read() == []


def test_stopped_trial_stays_stopped(tmp_path: Path) -> None:
    (found,) = round_trip(tmp_path, make_trial(is_stopped=True), names=NAMES)
    assert found.status == "stopped"


def test_tables_written_anew_hold_each_trial_once_whatever_a_crash_left(tmp_path: Path) -> None:
    trials = [make_trial(0), make_trial(1)]
    tables = TrialTables(tmp_path, NAMES)
    for trial in [*trials, trials[1]]:
        tables.keep(trial)
    with open(tmp_path / "curves.csv", "a", encoding="utf-8") as file:
        file.write("0001,2,0.1")
    tables.rewrite(trials)
    assert tables.read() == trials
    tables.keep(make_trial(2))
    assert tables.read() == [*trials, make_trial(2)]


def test_tables_without_trials_are_no_files(tmp_path: Path) -> None:
    tables = TrialTables(tmp_path, NAMES)
    tables.keep(make_trial())
    tables.rewrite([])
    assert list(tmp_path.iterdir()) == []


def test_no_cell_is_a_formula_and_every_one_comes_back(tmp_path: Path) -> None:
    metrics = {"=HYPERLINK(1)": -0.5, "loss": -1e-05}
    trials = [
        make_trial(
            i,
            values={"@v": text},
            epochs=(EpochMetrics(epoch=1, metrics=metrics, duration_s=0.125),),
        )
        for i, text in enumerate(("=1+1", "-a", "'=b", "+cmd|' /C calc'!A0", "\tx", "plain", "-7"))
    ]
    failed = make_trial(
        9, score=None, error="=cmd|' /C calc'!A0", epochs=(), n_parameters=None, values={"@v": -7}
    )
    assert round_trip(tmp_path, *trials, failed, names=["@v"]) == [*trials, failed]
    for name in ("trials.csv", "curves.csv"):
        with open(tmp_path / name, newline="", encoding="utf-8") as file:
            cells = {cell for row in csv.reader(file) for cell in row}
        assert not {cell for cell in cells if cell.startswith(("=", "+", "@", "\t"))}
        assert all(float(cell) for cell in cells if cell.startswith("-"))


DAMAGES = {
    "trials.csv": {
        "binary": bytes(range(256)),
        "number": ("0.30000000000000004", "many"),
        "nan": ("0.30000000000000004", "nan"),
        "cut": -30,
        "column": ("bracket", "brackets"),
        "quote": ("0001", '"0001'),
        "digits": (",1234,", "," + "9" * 5000 + ","),
        "semicolons": (",", ";"),
        "twice": ("0001", "0000"),
        "status": ("completed", "failed"),
        "gone": None,
    },
    "curves.csv": {
        "binary": b"\x00\xff" * 100,
        "number": ("0.125", "x"),
        "row": ("0001,1,", "0000,1,"),
        "cut": -30,
        "gone": None,
        "empty": b"",
    },
}


@pytest.mark.parametrize(
    ("name", "damage"), [(name, damage) for name in DAMAGES for damage in DAMAGES[name]]
)
def test_damaged_table_is_an_error_that_names_it(tmp_path: Path, name: str, damage: str) -> None:
    tables = TrialTables(tmp_path, ["filters", "learning_rate"])
    for number in range(2):
        tables.keep(make_trial(number))
    path, done = tmp_path / name, DAMAGES[name][damage]
    content = path.read_bytes()
    match done:
        case None:
            path.unlink()
        case bytes():
            path.write_bytes(done)
        case int():
            path.write_bytes(content[:done])
        case (str() as old, str() as new):
            assert old.encode() in content
            path.write_bytes(content.replace(old.encode(), new.encode()))
    with pytest.raises(ConfigurationError) as caught:
        tables.read()
    assert re.match(rf"{re.escape(str(tmp_path))}/(trials|curves)\.csv: ", caught.value.message)
    assert "\n" not in caught.value.message
    assert (
        caught.value.hint == "restore the file from a copy; nothing else of the run depends on it."
    )


def test_tables_that_a_spreadsheet_has_saved_are_read(tmp_path: Path) -> None:
    tables = TrialTables(tmp_path, ["filters", "learning_rate"])
    tables.keep(make_trial())
    for name in ("trials.csv", "curves.csv"):
        path = tmp_path / name
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert tables.read() == [make_trial()]


def test_what_a_model_takes_comes_back_where_it_was_measured(tmp_path: Path) -> None:
    takes = Footprint(
        n_parameters=5, file_bytes=7, latency_ms=0.1 + 0.2, latency_spread=0.01, multiply_adds=9
    )
    measured, other = make_trial(takes=takes), make_trial(1)
    assert round_trip(tmp_path, measured, other, names=["filters", "learning_rate"]) == [
        measured,
        other,
    ]


def test_tables_of_one_objective_have_no_such_columns(tmp_path: Path) -> None:
    round_trip(tmp_path, make_trial(), names=[])
    assert "takes" not in (tmp_path / "trials.csv").read_text()
