"""A plan in lines: readable counts, sizes and times, and nothing that steers a terminal."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest

from tests.planning.costs import contender
from tests.search.fakes import settings
from tuner.cli.endings.plan_table import SHOWN_BRACKETS, lines, plan_table, record, show
from tuner.cli.terminal import output
from tuner.planning.corners import Corner
from tuner.planning.forecast import Forecast, Range
from tuner.planning.measure import Cost
from tuner.planning.plan_record import Bought, Plan
from tuner.search.methods.rungs import Rung
from tuner.store.files.whole_files import json_line

FORECAST = Forecast(
    n_trials=7,
    n_starts=0,
    n_epochs=15,
    is_exact=True,
    notes=(),
    brackets=(
        (
            Rung(n_trials=4, first_epoch=1, last_epoch=1),
            Rung(n_trials=1, first_epoch=2, last_epoch=4),
        ),
        (Rung(n_trials=2, first_epoch=1, last_epoch=4),),
    ),
    search_s=Range(low=60, high=150),
    retraining_s=Range(low=320, high=500),
    other_s=Range(low=20, high=20),
    total_s=Range(low=400, high=650),
    disk_bytes=50_000_000,
)

CORNERS = (
    Corner(model="cnn", values={}, n_parameters=330, checkpoint_bytes=3_000),
    Corner(model="cnn", values={}, n_parameters=262_602, checkpoint_bytes=2_100_000),
)


def cost(step_s: float, trace_s: float) -> Cost:
    return Cost(
        key="",
        build_s=0.5,
        trace_s=trace_s,
        image_s=step_s / 32,
        step_s=step_s,
        predict_s=step_s / 96,
        checkpoint_bytes=1,
    )


PLAN = Plan(
    dataset="Photos",
    shape=(48, 48, 3),
    n_train=1200,
    n_validation=150,
    n_folds=1,
    n_test=140,
    search=settings(4, 4),
    contenders=(
        contender(max_epochs=10),
        replace(
            contender(max_epochs=1), title="EfficientNetB2 (from scratch)", max_train_images=300
        ),
    ),
    n_repeats=0,
    n_seeds=3,
    executor="process",
    n_workers=2,
    constraints=(),
    n_drawn=8,
    refused=(),
    corners=CORNERS,
    costs=(cost(0.0021, 1.0), cost(1.2, 3.5)),
    failures={},
    not_measured=(),
    measuring_s=40.0,
    memory_bytes=(812_000_000, 407_000_000),
    share=1.0,
    time_budget_s=None,
    sized="",
    bought=(),
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
    folds = "1,200 training, 150 validation in each of 5 folds, 140 test images"
    assert shown(n_folds=5)["data"] == ["Photos, 48x48x3", folds]
    assert shown()["search"] == [
        "hyperband: 7 trials, 15 epochs",
        "4 trials to epoch 1, 1 to 4",
        "2 trials to epoch 4",
    ]


def test_size_that_is_not_known_exactly_is_about_right() -> None:
    found = shown(search=settings(4, 4, method="asha"), forecast=replace(FORECAST, is_exact=False))
    assert found["search"][0] == "asha: about 7 trials, 15 epochs"


def test_what_you_should_know_about_the_search_stands_below_it() -> None:
    assert shown(forecast=replace(FORECAST, notes=("the grid ends early",)))["search"][-1] == (
        "the grid ends early"
    )


def test_long_search_lists_its_first_brackets() -> None:
    forecast = replace(
        FORECAST, n_trials=1_000_000, brackets=FORECAST.brackets[:1] * (SHOWN_BRACKETS + 3)
    )
    found = shown(forecast=forecast)["search"]
    assert len(found) == 2 + SHOWN_BRACKETS
    assert found[-1] == "and 999,960 trials more"


def test_every_retraining_says_its_seeds_its_epochs_and_fewer_images() -> None:
    assert shown()["retraining"] == [
        "Tuned: 3 seeds, at most 10 epochs",
        "EfficientNetB2 (from scratch): 3 seeds, at most 1 epoch, 300 training images",
    ]


def test_without_comparison_no_time_is_given_for_it() -> None:
    found = shown(contenders=())
    assert found["retraining"] == ["none"]
    assert not any(text.startswith("retraining") for text in found["time"])


def test_sizes_have_units() -> None:
    found = shown()
    assert found["models"] == ["330 to 262,602 parameters, in 2 built settings"]
    assert found["disk"] == ["3 kB to 2.1 MB a checkpoint; at most 50.0 MB at a time"]
    assert found["memory"] == ["407.0 MB to 812.0 MB a worker, as measured; times 2 workers"]


def test_memory_out_of_sight_is_not_called_nothing() -> None:
    assert shown(memory_bytes=())["memory"] == ["not measured; 2 workers"]


def test_constraints_say_what_they_refuse_of_what_is_drawn_first() -> None:
    assert "constraints" not in shown()
    bounds = ("parameters <= 400", "latency_ms <= 5")
    assert shown(constraints=bounds)["constraints"] == [
        "parameters <= 400, latency_ms <= 5",
        "none of 8 drawn settings is refused before training",
    ]
    refused = tuple(
        f"{n} parameters are over the 400 of constraints.parameters" for n in (900, 401, 500)
    )
    over = Corner(model="cnn", values={}, problem=refused[0])
    found = shown(constraints=bounds, refused=refused, corners=(*CORNERS, over))
    assert found["constraints"][1] == (
        "3 of 8 drawn settings refused before training, such as: 401 parameters are over the 400"
        " of constraints.parameters"
    )
    assert found["models"][1] == "1 corner of the space refused by the constraints"


def test_impossible_corners_give_a_reason() -> None:
    deep = Corner(model="cnn", values={}, problem="it is too deep")
    found = shown(corners=(*CORNERS, deep, deep))["models"]
    assert found == [
        "330 to 262,602 parameters, in 2 built settings",
        "2 corners of the space cannot be built, as it is too deep",
    ]


def test_models_that_could_not_be_measured_are_named() -> None:
    assert shown(failures={"Baseline": "the loss became nan"})["start-up"] == [
        "1.5 to 4 s per model",
        "Baseline could not be measured and is not included: the loss became nan",
    ]


def test_models_for_which_there_was_no_time_are_named_with_the_limit() -> None:
    found = shown(not_measured=("Baseline", "setting 3"), measuring_s=320.0)["start-up"]
    assert found[1:] == [
        "not measured, because measuring ended after 5 min: Baseline, setting 3; the times leave"
        " out compared models among them"
    ]


@pytest.mark.parametrize(("share", "is_told"), [(0.55, True), (0.9, False), (None, False)])
def test_busy_machine_is_told_first(share: float | None, is_told: bool) -> None:
    found = shown(share=share)
    assert (next(iter(found)) == "warning") == is_told
    if is_told:
        assert found["warning"] == [
            "the machine was busy: each worker got 55 % of a core while models were measured; the"
            " low ends of the times are those of an idle machine"
        ]


def test_times_are_ranges_and_one_number_where_the_ends_read_alike() -> None:
    found = shown()
    assert found["step"] == ["0.0021 to 1.2 s, mean 0.6 s, measured with 2 models"]
    assert found["time"] == [
        "search      1 to 2 min, likely 2 min",
        "retraining  5 to 8 min, likely 7 min",
        "other       20 s",
        "total       7 to 11 min, likely 8 min, process executor, 2 workers, without a time budget",
    ]


def test_time_budget_is_told() -> None:
    assert shown(time_budget_s=1800.0)["time"][-1].endswith("2 workers, within 30 min, your budget")


def test_what_the_budget_has_chosen_is_told_before_the_search() -> None:
    assert "sized" not in shown()
    found = shown(sized="30 min: 7 settings")
    assert found["sized"] == ["30 min: 7 settings"]
    assert list(found).index("sized") < list(found).index("search")


def test_what_time_would_buy_is_one_line_a_budget() -> None:
    assert "budgets" not in shown()
    usual = Bought(
        budget_s=600.0,
        n_settings=25,
        max_epochs=9,
        n_seeds=3,
        total_s=Range(low=480.0, high=540.0),
        fits=True,
    )
    short = replace(usual, budget_s=60.0, n_settings=1, max_epochs=1, n_seeds=0, fits=False)
    assert shown(bought=(usual, short))["budgets"] == [
        "what --time-budget does; the times include measuring models",
        "10 min  25 settings, up to 9 epochs, 3 seeds; expected 8 min",
        "60 s    too short for the smallest search, which needs up to 9 min; the run would be cut"
        " off",
    ]


def test_unfinished_run_is_named() -> None:
    assert "unfinished" not in shown()
    assert shown(unfinished="reports/x/1")["unfinished"] == [
        "run would resume reports/x/1; the times above are for a complete run"
    ]


def test_names_cannot_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    err = io.StringIO()
    monkeypatch.setattr(output, "ERRORS", err)
    show(replace(PLAN, dataset="\x1b[2J[red]x\x07"))
    assert not set(err.getvalue()) & set("\x1b\x07\r")
    assert "[red]x" in err.getvalue()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_fit_the_terminal_and_end_without_spaces(width: int) -> None:
    found = plan_table(PLAN, width).plain.splitlines()
    assert max(map(len, found)) <= width
    assert all(line == line.rstrip() for line in found)
    texts = " ".join(line.strip() for line in found)
    assert "2 trials to epoch 4" in texts
    assert {line.split("  ")[0] for line in found} >= {"data", "search", "time"}


def test_record_is_json_with_all_numbers() -> None:
    found = json.loads(json_line(record(PLAN)))
    assert found["forecast"]["total_s"] == {"low": 400, "high": 650}
    assert found["forecast"]["brackets"][1] == [{"n_trials": 2, "first_epoch": 1, "last_epoch": 4}]
    assert [corner["n_parameters"] for corner in found["corners"]] == [330, 262602]
