"""A plan in lines: counts, sizes and times that people can read, and nothing that steers a terminal."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.search.fakes import settings
from tuner.cli import output
from tuner.cli.plan_view import SHOWN_BRACKETS, lines, plan_table, record, show
from tuner.commands.forecast import Forecast, Range
from tuner.commands.planned import Plan, Retraining
from tuner.search.schedule import Rung
from tuner.store.files import json_line

FORECAST = Forecast(
    brackets=(
        (Rung(n_trials=4, first_epoch=1, last_epoch=1), Rung(n_trials=1, first_epoch=2, last_epoch=4)),
        (Rung(n_trials=2, first_epoch=1, last_epoch=4),),
    ),
    search_s=Range(low=60, middle=80, high=150),
    retraining_s=Range(low=300, middle=400, high=500),
    other_s=Range(low=20, middle=20, high=20),
    total_s=Range(low=400, middle=500, high=650),
    disk_bytes=50_000_000,
)

PLAN = Plan(
    dataset="Photos",
    shape=(48, 48, 3),
    n_train=1200,
    n_validation=150,
    n_test=140,
    search=settings(4, 4),
    retrainings=(
        Retraining(title="Tuned", n_train=1200, max_epochs=10, n_seeds=3),
        Retraining(title="EfficientNetB2 (from scratch)", n_train=300, max_epochs=1, n_seeds=3),
    ),
    executor="process",
    n_workers=2,
    n_built=15,
    n_impossible=0,
    problem="",
    n_parameters=(330, 262_602),
    checkpoint_bytes=(3_000, 2_100_000),
    n_measured=9,
    n_failed=0,
    failure="",
    memory_bytes=812_000_000,
    step_s=Range(low=0.0021, middle=0.11, high=1.2),
    start_s=Range(low=1.5, middle=2.5, high=4.0),
    forecast=FORECAST,
    unfinished=None,
)


def shown(**changes: Any) -> dict[str, list[str]]:
    """The texts of each name, those of its further lines included."""
    found: dict[str, list[str]] = {}
    name = ""
    for new, text in lines(replace(PLAN, **changes)):
        name = new or name
        found.setdefault(name, []).append(text)
    return found


def test_data_and_search_are_counted() -> None:
    assert shown()["data"] == ["Photos, 48x48x3", "1,200 training, 150 validation, 140 test images"]
    assert shown()["search"] == [
        "hyperband: 7 trials, 15 epochs",
        "4 trials, epoch 1 > 1 trial, epochs 2-4",
        "2 trials, epochs 1-4",
    ]


def test_size_of_an_asha_search_is_an_estimate() -> None:
    assert shown(search=settings(4, 4, method="asha"))["search"][0] == "asha: about 7 trials, 15 epochs"


def test_long_search_lists_its_first_brackets() -> None:
    forecast = replace(FORECAST, brackets=FORECAST.brackets[:1] * (SHOWN_BRACKETS + 3))
    found = shown(forecast=forecast)["search"]
    assert len(found) == 2 + SHOWN_BRACKETS
    assert found[-1] == "and 3 brackets more"


def test_every_retraining_says_its_seeds_its_epochs_and_fewer_images() -> None:
    assert shown()["retraining"] == [
        "Tuned: 3 seeds, at most 10 epochs",
        "EfficientNetB2 (from scratch): 3 seeds, at most 1 epoch, 300 training images",
    ]


def test_without_comparison_no_time_is_given_for_it() -> None:
    found = shown(retrainings=())
    assert found["retraining"] == ["none"]
    assert not any(text.startswith("retraining") for text in found["time"])


def test_sizes_have_units() -> None:
    found = shown()
    assert found["models"] == ["330 to 262,602 parameters, in 15 built settings"]
    assert found["disk"] == ["3 kB to 2.1 MB a checkpoint; at most 50.0 MB at a time"]
    assert found["memory"] == ["812.0 MB a worker, as measured; times 2 workers"]


def test_impossible_corners_and_failed_models_give_a_reason() -> None:
    found = shown(n_impossible=2, problem="it is too deep", n_failed=1, failure="the loss became nan")
    assert found["models"][1] == "2 corners of the space cannot be built, as it is too deep"
    assert found["start"][1] == "1 model failed, and left out here: the loss became nan"


def test_times_are_ranges_and_one_number_where_the_ends_read_alike() -> None:
    found = shown()
    assert found["step"] == ["0.0021 to 1.2 s, mean 0.11 s, measured with 9 models"]
    assert found["time"] == [
        "search      60 s to 2 min, likely 80 s",
        "retraining  5 min to 8 min, likely 7 min",
        "all else    20 s",
        "in all      7 min to 11 min, likely 8 min, process executor, 2 workers",
    ]


def test_unfinished_run_is_named() -> None:
    assert "unfinished" not in shown()
    assert shown(unfinished="reports/x/1")["unfinished"] == [
        "run would go on with reports/x/1; the times above are those of a whole run"
    ]


def test_names_cannot_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    err = io.StringIO()
    monkeypatch.setattr(output, "ERRORS", err)
    show(plan_table(replace(PLAN, dataset="\x1b[2J[red]x\x07")))
    assert not set(err.getvalue()) & set("\x1b\x07\r")
    assert "[red]x" in err.getvalue()


def test_record_is_json_with_all_numbers() -> None:
    found = json.loads(json_line(record(PLAN)))
    assert found["forecast"]["total_s"] == {"low": 400, "middle": 500, "high": 650}
    assert found["forecast"]["brackets"][1] == [{"n_trials": 2, "first_epoch": 1, "last_epoch": 4}]
    assert found["n_parameters"] == [330, 262602]
