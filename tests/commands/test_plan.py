"""`plan` of tiny data: what it says, measures, names and leaves behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calling import Outcome, call, write_photos, write_space
from tests.planning.costs import cost
from tuner.commands import plan
from tuner.models.backbones.catalog import BACKBONES
from tuner.pipeline import sizing
from tuner.pipeline.comparison import all_contenders
from tuner.pipeline.costs import Variant, Work
from tuner.pipeline.sizes import Sizes, kept
from tuner.pipeline.sizing import SizedRun
from tuner.planning import frozen_costs
from tuner.planning.measure import Candidate, Measured
from tuner.planning.sizing import Size
from tuner.store.run_folder import RunFolder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan")
    write_photos(folder / "photos", classes=("dark", "bright"))
    write_space(folder)
    return folder


def planned(place: Path, *arguments: str, executor: str = "inline") -> Outcome:
    return call(
        "plan", "./photos", "--space", "tiny.yaml", "--executor", executor, *arguments, cwd=place
    )


@pytest.fixture(scope="module")
def record(place: Path) -> dict[str, Any]:
    outcome = planned(place, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert len(outcome.records) == 1
    return outcome.records[0]


def test_plan_is_one_json_object_with_what_a_run_would_do(record: dict[str, Any]) -> None:
    rungs = [rung for bracket in record["forecast"]["brackets"] for rung in bracket]
    assert [(r["n_trials"], r["first_epoch"], r["last_epoch"]) for r in rungs] == [
        (2, 1, 1),
        (1, 2, 2),
        (2, 1, 2),
    ]
    assert [(model["title"], model["max_epochs"]) for model in record["contenders"]] == [
        ("Tuned", 2)
    ]
    assert (record["n_train"], record["n_validation"], record["n_test"]) == (32, 8, 10)
    assert (record["executor"], record["n_workers"], record["n_seeds"]) == ("inline", 1, 2)
    assert (record["unfinished"], record["failures"]) == (None, {})


def test_plan_has_measured_something_of_everything(record: dict[str, Any]) -> None:
    problems = [corner["problem"] for corner in record["corners"] if corner["problem"]]
    built = [corner for corner in record["corners"] if not corner["problem"]]
    assert problems[0].startswith("conv_blocks is 6, but 6 poolings by 2")
    assert 0 < built[0]["n_parameters"] < built[-1]["n_parameters"]
    assert 0 < built[-1]["checkpoint_bytes"] <= record["forecast"]["disk_bytes"]
    assert [size > 50e6 for size in record["memory_bytes"]] == [True]
    assert len(record["costs"]) > 2
    assert all(cost["step_s"] > 0 and cost["build_s"] > 0 for cost in record["costs"])
    assert 0 < record["share"] <= 1
    for name in ("search_s", "retraining_s", "other_s", "total_s"):
        assert 0 < record["forecast"][name]["low"] < record["forecast"][name]["high"]


def test_plan_tells_what_time_would_buy(record: dict[str, Any]) -> None:
    assert (record["sized"], record["time_budget_s"]) == ("", None)
    bought = record["bought"]
    assert [one["budget_s"] for one in bought] == [600, 3600, 28_800]
    assert all(one["fits"] and one["total_s"]["high"] <= one["budget_s"] for one in bought)
    assert all(one["n_settings"] > 0 and one["n_seeds"] == 2 for one in bought)


@pytest.mark.parametrize("arguments", [(), ("--time-budget", "20m")])
def test_each_budget_is_planned_with_backbones_on_images_of_the_size_that_it_has(
    place: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    planned_sizes: dict[float, set[int]] = {}

    def measure(measurable: Sequence[Candidate], *_: Any) -> Measured:
        return Measured(
            costs={one.key: cost(one.key) for one in measurable}, failures={}, trained_s=1.0
        )

    def sizes_for(
        work: Work, possible: Sequence[Variant], left_s: float, budget_s: float
    ) -> SizedRun:
        compared = [one for one, _ in possible[0].known.contenders if one.name in BACKBONES]
        planned_sizes[budget_s] = {one.values["input_size"] for one in compared}
        return sizing.sizes_for(work, possible, left_s, budget_s)

    monkeypatch.setattr(plan, "measure", measure)
    monkeypatch.setattr(plan, "sizes_for", sizes_for)
    monkeypatch.setattr(all_contenders, "missing_weights", lambda contender: None)
    monkeypatch.setattr(frozen_costs, "frozen_s", lambda model, values, data: (0.0, 0.001))
    outcome = planned(place, "--set", "compare=[baseline, efficientnet_b2]", *arguments)
    assert outcome.code == 0, outcome.err
    of_table = {budget_s: planned_sizes[budget_s] for budget_s in plan.BUDGETS_S}
    assert of_table == {600.0: {96}, 3600.0: {260}, 28_800.0: {260}}


def test_plan_of_a_time_budget_is_the_one_that_fits(place: Path) -> None:
    outcome = planned(place, "--time-budget", "15m", "--set", "retrain.seeds=3", "--json")
    assert outcome.code == 0, outcome.err
    (found,) = outcome.records
    assert found["sized"].startswith("15 min: ")
    assert "then 3 seeds of the winner, up to 2 epochs; expected " in found["sized"]
    # As long as a retraining, which is all that so few images allow.
    assert (found["search"]["max_epochs"], found["n_seeds"]) == (2, 3)
    assert found["search"]["iterations"] > 1
    assert found["forecast"]["total_s"]["high"] <= 900


def test_plan_leaves_nothing_behind(place: Path, record: dict[str, Any]) -> None:
    assert not (place / "reports").exists()


@pytest.mark.slow
def test_workers_memory_and_share_are_seen_too(place: Path) -> None:
    outcome = planned(
        place, "--json", "--search-only", "--max-trials", "1", "--workers", "1", executor="process"
    )
    assert outcome.code == 0, outcome.err
    (found,) = outcome.records
    assert (found["executor"], found["contenders"]) == ("process", [])
    assert [size > 50e6 for size in found["memory_bytes"]] == [True]
    assert 0 < found["share"] <= 1


@pytest.fixture
def unfinished(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunFolder]:
    """A run that any plan would go on with; its path is short enough for a line of the table."""
    folder = RunFolder(place / "begun")
    folder.create()
    folder.write_config({})
    monkeypatch.setattr(plan, "open_run", lambda *_: (RunFolder(Path("begun")), True, []))
    yield folder
    shutil.rmtree(folder.path)


@pytest.mark.usefixtures("unfinished")
def test_people_read_a_table_on_stderr_that_names_an_unfinished_run_and_the_budget(
    place: Path,
) -> None:
    outcome = planned(
        place, "--search-only", "--max-trials", "1", "--time-budget", "1s", "--resume"
    )
    assert (outcome.code, outcome.out) == (0, "")
    assert "hyperband: 1 trial, 1 epoch" in outcome.err
    assert "retraining  none" in outcome.err
    assert "within 1 s, your budget" in " ".join(outcome.err.split())
    assert "run would resume begun" in outcome.err


def test_plan_of_an_unfinished_run_has_the_sizes_that_it_has_decided_on(
    place: Path, unfinished: RunFolder
) -> None:
    size = Size(
        min_epochs=1, max_epochs=2, iterations=3, retrain_epochs=2, n_seeds=1, n_verdict_seeds=2
    )
    sizes = Sizes(
        size=size,
        has_backbones=False,
        fits=True,
        most_epochs=2,
        most_seeds=2,
        retraining_s=100.0,
        ending_s=50.0,
        text="10 min: as decided",
    )
    unfinished.write_config(kept(sizes))
    outcome = planned(place, "--time-budget", "10m", "--json")
    assert outcome.code == 0, outcome.err
    (found,) = outcome.records
    assert found["sized"] == "10 min: as decided"
    assert (found["search"]["max_epochs"], found["search"]["iterations"]) == (2, 3)
    assert (found["n_seeds"], found["n_repeats"]) == (1, 1)


def test_plan_accepts_what_run_accepts_and_finds_no_run_to_resume(place: Path) -> None:
    outcome = planned(
        place, "--resume", "--retries", "2", "--trial-timeout", "5m", "--worker-memory", "4GB"
    )
    assert outcome.code == 2
    assert "there is no unfinished run to resume" in outcome.err


@pytest.mark.slow
def test_endless_grid_is_planned(place: Path) -> None:
    fine = "{type: float, min: 0, max: 0.5, step: 0.001}"
    changes = ["search.method=grid", "search.max_total_epochs=2000000", "space.learning_rate=0.01"]
    changes += [f"space.{name}={fine}" for name in ("dropout", "conv_dropout", "label_smoothing")]
    # Networks that are quickly measured.
    changes += ["space.conv_blocks=1", "space.filters=4"]
    outcome = planned(place, *(f"--set={change}" for change in changes), "--search-only", "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.records[0]["forecast"]["n_trials"] == 1_000_000


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize("option", [("--ray-address", "a:1"), ("--gpus-per-trial", "0.5")])
def test_options_of_ray_need_its_executor(
    place: Path, command: str, option: tuple[str, str]
) -> None:
    outcome = call(command, "./photos", "--space", "tiny.yaml", *option, cwd=place)
    assert outcome.code == 2
    assert (
        outcome.err.splitlines()[-1].strip() == f"Error: {option[0]} goes with --executor ray only."
    )


def test_mistakes_exit_as_everywhere(place: Path) -> None:
    assert planned(place, "--set", "space.filter=3").code == 2
    none = planned(place, "--set", "space.conv_blocks={type: int, min: 5, max: 6}")
    assert none.code == 2
    assert "drawn settings can be built, as conv_blocks is" in none.err
    assert call("plan", "cats_dogs", "--data-dir", "nowhere", cwd=place).code == 4
