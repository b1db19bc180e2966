"""What a run would cost: extremes of a space, simulated searches, and a plan of tiny data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.cli.calling import Outcome, call, write_photos, write_space
from tests.data.samples import make_card
from tests.images import SMALL_CNN, image_spec, train_task, training_data
from tests.search.fakes import settings
from tuner.commands import plan
from tuner.commands.corners import build_corners, corners
from tuner.commands.forecast import REPORT_S, Known, forecast
from tuner.commands.measure import Candidate, MemoryGauge, measure, part
from tuner.commands.opponents import Opponent, opponents
from tuner.commands.options import PRESETS
from tuner.commands.simulate import Cost, Crew, SimulatedSearch, Work, simulate_retraining, simulate_search
from tuner.data.card import Baseline, Card
from tuner.execution.executor import Reports
from tuner.execution.inline import InlineExecutor
from tuner.models import efficientnet
from tuner.records.training import EpochMetrics
from tuner.search.schedule import total
from tuner.space.definition import Condition, Parameter, RetrainSettings, SearchSettings, Space
from tuner.space.parse import load_space
from tuner.store.run_folder import RunFolder


def cost(name: str = "a", build_s: float = 0.0, trace_s: float = 0.0, image_s: float = 1.0) -> Cost:
    return Cost(name=name, build_s=build_s, trace_s=trace_s, image_s=image_s, batch_size=4, checkpoint_bytes=100)


def searched(
    search: SearchSettings, crew: Crew, *costs: Cost, n_settings: int | None = None, seed: int = 0
) -> SimulatedSearch:
    return simulate_search(search, costs or (cost(),), (1, 0), n_settings, crew, np.random.default_rng(seed))


def sizes(search: SimulatedSearch) -> list[list[tuple[int, int, int]]]:
    return [[(r.n_trials, r.first_epoch, r.last_epoch) for r in bracket] for bracket in search.brackets]


def test_cost_of_an_epoch_counts_validation_as_a_third_and_a_step_as_a_batch() -> None:
    assert cost(image_s=0.5).epoch_s(100, 30) == pytest.approx(55.0)
    assert cost(image_s=0.5).step_s == 2.0
    assert cost(build_s=1.0, trace_s=8.0, image_s=0.5).score_s(60) == pytest.approx(13.0)


def test_search_trains_the_rungs_that_hyperband_plans() -> None:
    crew = Crew(1, 4)
    found = searched(settings(4, 4), crew)
    assert sizes(found) == [[(4, 1, 1), (1, 2, 4)], [(2, 1, 4)]]
    # One worker has no idle ends: as many seconds as epochs.
    assert crew.now_s == total(settings(4, 4))[1] == 15


def test_second_worker_shortens_a_search_by_less_than_half() -> None:
    crew = Crew(2, 4)
    searched(settings(9, 3), crew)
    assert 75 / 2 <= crew.now_s < 75


def test_known_model_is_not_traced_again_and_a_crew_that_keeps_none_traces_always() -> None:
    for n_kept, expected in ((4, 15 + 10), (0, 15 + 7 * 10)):
        crew = Crew(1, n_kept)
        searched(settings(4, 4), crew, cost(trace_s=10.0))
        assert crew.now_s == expected


def test_building_is_paid_in_every_training() -> None:
    crew = Crew(1, 4)
    searched(settings(4, 4), crew, cost(build_s=1.0))
    assert crew.now_s == 15 + 7


def test_space_that_runs_out_of_settings_makes_a_shorter_search() -> None:
    found = searched(settings(4, 4), Crew(1, 4), n_settings=2)
    assert [rungs[0][0] for rungs in sizes(found)] == [2]


@pytest.mark.parametrize("method", ["hyperband", "asha", "random", "bayesian", "grid"])
def test_search_never_starts_more_trials_than_it_may(method: str) -> None:
    found = searched(settings(9, 3, method=method, max_trials=5), Crew(2, 4), n_settings=50)
    assert sum(rung.n_trials for bracket in found.brackets for rung in bracket) == 5


def test_grid_tries_every_setting_once() -> None:
    found = searched(settings(3, 3, method="grid"), Crew(2, 4), n_settings=7)
    assert sizes(found) == [[(7, 1, 3)]]


def test_checkpoints_on_disk_are_those_that_others_may_go_on_from() -> None:
    assert searched(settings(3, 3, method="random"), Crew(2, 4)).n_checkpoints == 2
    # The bracket's one that may be promoted, and the one that runs.
    assert searched(settings(4, 4), Crew(1, 4)).n_checkpoints == 2


def test_winner_is_one_of_the_settings_and_chance_says_which() -> None:
    costs = [cost(str(n)) for n in range(6)]
    winners = {searched(settings(4, 4), Crew(1, 4), *costs, seed=seed).winner for seed in range(30)}
    assert winners <= set(range(6))
    assert len(winners) > 1


def test_retrainings_share_the_workers() -> None:
    work = Work(cost=cost(), epoch_s=2.0, max_epochs=5, patience=None, n_seeds=3)
    crew = Crew(2, 4)
    simulate_retraining([work], crew, np.random.default_rng(0))
    assert crew.now_s == 20.0


def test_retraining_may_end_once_patience_is_over_and_not_before() -> None:
    work = Work(cost=cost(), epoch_s=1.0, max_epochs=5, patience=2, n_seeds=1)
    rng = np.random.default_rng(0)
    assert {work.n_epochs(rng) for _ in range(50)} == {3, 4, 5}


SPACE = Space(
    parameters=(
        Parameter(name="conv_blocks", kind="int", low=1, high=6),
        Parameter(name="filters", kind="choice", choices=(8, 4, 6)),
        Parameter(name="learning_rate", kind="float", low=1e-4, high=1e-2, log=True),
        Parameter(name="optimizer", kind="choice", choices=("adam", "sgd")),
        Parameter(
            name="momentum",
            kind="float",
            low=0.8,
            high=0.9,
            conditions=(Condition(parent="optimizer", values=("sgd",)),),
        ),
    ),
    fixed={"batch_size": 20, "dense_units": 8},
)


def test_corners_hold_only_ends_of_ranges_and_are_distinct() -> None:
    found = corners(SPACE)
    assert {values["conv_blocks"] for values in found} == {1, 6}
    assert {values["filters"] for values in found} == {4, 8}
    assert {values["learning_rate"] for values in found} == {1e-4, 1e-2}
    assert {values.get("momentum") for values in found} == {None, 0.8, 0.9}
    assert len({repr(sorted(values.items())) for values in found}) == len(found) > 4


def test_built_corners_are_sorted_and_impossible_ones_give_their_reason() -> None:
    built, problems = build_corners("cnn", [{"conv_blocks": n} for n in (3, 6, 1)], image_spec())
    assert [corner.values["conv_blocks"] for corner in built] == [3, 1]
    assert built[0].n_parameters < built[1].n_parameters
    # Weights, and the two moments that Adam keeps of each that it trains.
    assert 2.9 < built[0].checkpoint_bytes / (4 * built[0].n_parameters) < 3.1
    assert problems == ["conv_blocks is 6, but 6 poolings by 2 would shrink 8x8 images below 1x1"]


def test_builder_that_raises_is_an_impossible_corner() -> None:
    _, problems = build_corners("tests.execution.builders:missing", [{}], image_spec())
    assert problems == ['model "tests.execution.builders:missing": tests.execution.builders has no function missing']


def candidate(**changes: Any) -> Candidate:
    usual: dict[str, Any] = {"name": "a", "model": "cnn", "values": SMALL_CNN, "data": training_data(200, 50)}
    return Candidate(**usual | changes)


def test_measured_part_is_a_few_batches_with_its_share_of_validation_images() -> None:
    found = part(candidate(values={"batch_size": 4}))
    assert (len(found.train), len(found.validation)) == (80, 20)
    whole = part(candidate(n_validation=256))
    assert (len(whole.train), len(whole.validation)) == (200, 50)
    large = part(candidate(values={"batch_size": 4, "input_size": 260}))
    assert len(large.train) == 8


def test_measured_costs_are_those_of_real_trainings(tmp_path: Path) -> None:
    gauge = MemoryGauge(is_inline=True)
    with InlineExecutor(Reports(on_epoch=gauge.read)) as executor:
        costs, problems = measure([candidate(), candidate(name="b")], executor, tmp_path)
    assert problems == []
    assert costs["a"].trace_s > costs["b"].trace_s, "the second one is known"
    assert all(found.image_s > 0 and found.build_s > 0 and found.batch_size == 20 for found in costs.values())
    assert costs["a"].checkpoint_bytes == (tmp_path / "a.npz").stat().st_size
    assert gauge.peak_bytes > 50e6


def test_model_that_fails_is_left_out_with_its_reason(tmp_path: Path) -> None:
    with InlineExecutor(Reports(on_epoch=MemoryGauge(is_inline=True).read)) as executor:
        costs, problems = measure([candidate(values=SMALL_CNN | {"conv_blocks": 9})], executor, tmp_path)
    assert costs == {}
    assert len(problems) == 1


def test_gauge_keeps_the_most() -> None:
    gauge = MemoryGauge(is_inline=True)
    gauge.peak_bytes = 10**15
    gauge.read(train_task(), EpochMetrics(epoch=1, metrics={}, duration_s=0.0))
    assert gauge.peak_bytes == 10**15


def card(epochs: int = 20) -> Card:
    made = make_card({"type": "npz", "path": "tiny.npz"}, size=8)
    stated = {"model": "sigmoid_cnn", "title": "t", "source": "s", "values": {}, "published": {"epochs": epochs}}
    return made.model_copy(update={"baseline": Baseline.model_validate(stated)})


def found_opponents(tmp_path: Path, *compare: str) -> list[Opponent]:
    file = replace(load_space(write_space(tmp_path)), compare=compare)
    return list(opponents(card(), file, PRESETS["quick"], training_data(400, 50), n_test=100))


def test_published_baseline_trains_its_own_epochs_without_patience(tmp_path: Path) -> None:
    usual, published = found_opponents(tmp_path, "baseline", "baseline_published")
    assert (usual.candidate.name, usual.max_epochs) == ("baseline", 2)
    assert usual.patience is not None
    assert (published.candidate.name, published.max_epochs, published.patience) == ("baseline_published", 20, None)


def test_efficientnet_without_weights_is_planned_from_scratch_with_its_fewer_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_weights(*_: object) -> None:
        raise efficientnet.NoPretrainedWeightsError

    monkeypatch.setattr(efficientnet, "build_extractor", no_weights)
    (found,) = found_opponents(tmp_path, "efficientnet_b2")
    assert (found.candidate.model, found.max_epochs, len(found.candidate.data.train)) == ("efficientnet_b2", 2, 300)
    assert found.scoring_s == 0.0


def test_efficientnet_with_weights_is_a_head_and_its_features_take_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = keras.Input((8, 8, 1))
    frozen = keras.Model(inputs, keras.layers.Flatten()(inputs))
    monkeypatch.setattr(efficientnet, "build_extractor", lambda *_: frozen)
    (found,) = found_opponents(tmp_path, "efficientnet_b2")
    assert found.candidate.model == "efficientnet_b2_head"
    assert found.candidate.data.inputs.shape == (450, efficientnet.N_FEATURES)
    assert found.before_s > found.scoring_s > 0, "450 images train and validate, 100 test"


def known(tmp_path: Path, **changes: Any) -> Known:
    """One worker, one cost for all settings, one opponent that takes two seconds before it can begin."""
    file = replace(load_space(write_space(tmp_path)), search=settings(4, 4))
    other = Opponent(title="Other", candidate=candidate(name="other"), max_epochs=3, patience=None, before_s=2.0)
    usual: dict[str, Any] = {
        "file": replace(file, retrain=RetrainSettings(epochs=5, seeds=2, patience=5)),
        "sizes": (10, 0, 0),
        "costs": [cost(image_s=0.1)],
        "largest_checkpoint_bytes": 1000,
        "opponents": [(other, cost("other", image_s=0.01))],
        "n_workers": 1,
        "is_kept": True,
        "ready_s": 7.0,
        "search_only": False,
    }
    return Known(**usual | changes)


def test_forecast_adds_up_what_a_run_does(tmp_path: Path) -> None:
    found = forecast(known(tmp_path), seed=0)
    # The opponent trains on 200 images and validates on 50, two times three epochs.
    other_s = 2 * 3 * 0.01 * (200 + 50 / 3)
    assert found.search_s.middle == pytest.approx(15.0, rel=0.08)
    assert found.retraining_s.middle == pytest.approx(2 * 5 + other_s + 2.0, rel=0.08)
    assert found.other_s.middle == pytest.approx(7.0 + REPORT_S, rel=0.08)
    assert found.total_s.middle == pytest.approx(15 + 12 + other_s + 7 + REPORT_S, rel=0.08)
    assert found.disk_bytes == 2 * 2 * (1000 + 100), "last and best state, two seeds, two models"


def test_forecast_of_a_search_alone_has_no_retraining(tmp_path: Path) -> None:
    found = forecast(known(tmp_path, search_only=True), seed=0)
    assert found.retraining_s.high == 0.0
    assert found.disk_bytes == 2 * 1000


def test_range_is_wide_enough_for_a_machine_that_changes_its_pace(tmp_path: Path) -> None:
    found = forecast(known(tmp_path), seed=0).search_s
    assert found.low < 0.9 * found.middle < 1.1 * found.middle < found.high


def test_forecast_is_wider_where_settings_differ_and_the_same_for_the_same_seed(tmp_path: Path) -> None:
    costs = [cost(str(n), image_s=0.1 * (n + 1)) for n in range(6)]
    found, alike = forecast(known(tmp_path, costs=costs), seed=0), forecast(known(tmp_path), seed=0)
    assert found.total_s.high / found.total_s.low > alike.total_s.high / alike.total_s.low
    assert found == forecast(known(tmp_path, costs=costs), seed=0)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan")
    write_photos(folder / "photos", classes=("dark", "bright"))
    write_space(folder)
    return folder


def planned(place: Path, *arguments: str) -> Outcome:
    return call("plan", "./photos", "--space", "tiny.yaml", "--executor", "inline", *arguments, cwd=place)


@pytest.fixture(scope="module")
def record(place: Path) -> dict[str, Any]:
    outcome = planned(place, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    assert len(outcome.records) == 1
    return outcome.records[0]


def test_plan_is_one_json_object_with_what_a_run_would_do(record: dict[str, Any]) -> None:
    rungs = [rung for bracket in record["forecast"]["brackets"] for rung in bracket]
    assert [(r["n_trials"], r["first_epoch"], r["last_epoch"]) for r in rungs] == [(2, 1, 1), (1, 2, 2), (2, 1, 2)]
    assert [(model["title"], model["max_epochs"], model["n_seeds"]) for model in record["retrainings"]] == [
        ("Tuned", 2, 2)
    ]
    assert (record["n_train"], record["n_validation"], record["n_test"]) == (32, 8, 10)
    assert (record["executor"], record["n_workers"], record["unfinished"]) == ("inline", 1, None)


def test_plan_has_measured_something_of_everything(record: dict[str, Any]) -> None:
    assert record["n_impossible"] > 0
    assert record["problem"].startswith("conv_blocks is 6, but 6 poolings by 2")
    assert 0 < record["n_parameters"][0] < record["n_parameters"][1]
    assert 0 < record["checkpoint_bytes"][0] < record["checkpoint_bytes"][1] <= record["forecast"]["disk_bytes"]
    assert record["memory_bytes"] > 0
    for span in (
        record["step_s"],
        record["start_s"],
        *(record["forecast"][f"{name}_s"] for name in ("search", "total")),
    ):
        assert 0 < span["low"] <= span["middle"] <= span["high"]


def test_parts_of_the_time_make_up_the_whole(record: dict[str, Any]) -> None:
    found = record["forecast"]
    parts = [found[name]["middle"] for name in ("search_s", "retraining_s", "other_s")]
    assert found["total_s"]["middle"] == pytest.approx(sum(parts), rel=0.2)


def test_plan_leaves_nothing_behind(place: Path, record: dict[str, Any]) -> None:
    assert not (place / "reports").exists()


def test_people_read_a_table_on_stderr_that_names_an_unfinished_run(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "open_run", lambda *_: (RunFolder(Path("reports/photos/x")), True))
    outcome = planned(place, "--search-only", "--max-trials", "1")
    assert (outcome.code, outcome.out) == (0, "")
    assert "hyperband: 1 trial, 1 epoch" in outcome.err
    assert "retraining  none" in outcome.err
    assert "run would go on with reports/photos/x" in outcome.err


def test_mistakes_exit_as_everywhere(place: Path) -> None:
    assert planned(place, "--set", "space.filter=3").code == 2
    none = planned(place, "--set", "space.conv_blocks={type: int, min: 5, max: 6}")
    assert none.code == 2
    assert "drawn settings can be built, as conv_blocks is" in none.err
    assert call("plan", "cats_dogs", "--data-dir", "nowhere", cwd=place).code == 4
