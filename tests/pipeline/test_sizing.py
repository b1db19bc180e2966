"""A time budget sizes a run: with made-up costs of its trainings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.images import SMALL_CNN
from tests.pipeline.comparison.jobs import executor, job, trial
from tests.planning.costs import cost
from tests.planning.test_sizing import with_backbone
from tuner.errors import SearchError
from tuner.pipeline import sizing
from tuner.pipeline.costs import Variant, Work
from tuner.pipeline.job import Job
from tuner.pipeline.measuring import FEW_MEASURED
from tuner.pipeline.run_options import RunOptions
from tuner.pipeline.sizes import Sizes, kept, read_sizes, settled
from tuner.pipeline.sizing import bounds_of, settle, sized, sizes_for
from tuner.pipeline.training_data import training_data
from tuner.planning.forecast import Known
from tuner.planning.measure import Candidate, Measured
from tuner.planning.sizing import Size
from tuner.records.events import Event, Notice, SearchSized, StageStarted
from tuner.records.trial import StartSetting, Trial
from tuner.retrain.contenders import BASELINE
from tuner.space.retrain_settings import RetrainSettings
from tuner.space.search_settings import SearchSettings
from tuner.store.files.reading import DamagedFileError

HOUR_S = 3600.0
BUDGET_S = 700.0
# Of a backbone for an image: without it, the search would have more seeds or epochs.
SLOW_S = 0.003


@pytest.fixture
def candidates(monkeypatch: pytest.MonkeyPatch) -> list[Candidate]:
    """What was measured: an image takes a hundredth of a second whatever the model."""
    seen: list[Candidate] = []

    def measure(measurable: Sequence[Candidate], *_: Any) -> Measured:
        seen.extend(measurable)
        costs = {one.key: cost(one.key, image_s=0.01) for one in measurable}
        return Measured(costs=costs, failures={}, trained_s=1.0)

    monkeypatch.setattr(sizing, "measure", measure)
    return seen


def begun(
    folder: Path,
    events: list[Event],
    budget_s: float | None,
    trials: Sequence[Trial] = (),
    **changes: Any,
) -> Job:
    """A run of a wide space that begins with one setting."""
    found = job(folder, events, trials)
    start = StartSetting(origin="baseline", values=SMALL_CNN)
    found.folder.write_config({"identity": {}})
    options = RunOptions(dataset="tiny", time_budget_s=budget_s, **changes)
    file = replace(
        found.file,
        compare=("baseline",),
        search=SearchSettings(method="hyperband", max_epochs=27, factor=3, iterations=1),
        retrain=RetrainSettings(epochs=60, seeds=3, patience=10, finalists=1),
    )
    return replace(found, options=options, file=file, starts=(start,))


@pytest.mark.usefixtures("candidates")
def test_run_gets_the_sizes_that_fit_and_tells_and_keeps_them(tmp_path: Path) -> None:
    events: list[Event] = []
    before = begun(tmp_path, events, HOUR_S)
    after = sized(before, executor())
    assert after.sizes is not None
    size = after.sizes.size
    assert size.max_epochs > size.min_epochs > 1, "as few steps as tiny data have"
    assert after.file.search == size.of_search(before.file.search)
    rules = after.file.retrain
    assert (rules.epochs, rules.cheap_seeds) == (size.retrain_epochs, 3)
    assert read_sizes(before.folder.read_config(), "config.yaml") == after.sizes
    (told,) = [event for event in events if isinstance(event, SearchSized)]
    assert told.text == after.sizes.text
    assert told.text.startswith("60 min: ")
    assert (
        f"then 3 seeds of finalists and baseline, up to {rules.epochs} epochs; expected "
        in told.text
    )
    assert [event.title for event in events if isinstance(event, StageStarted)] == [
        "Measuring models to size the search for 60 min"
    ]


@pytest.mark.parametrize(("image_s", "fits"), [(0.1, True), (5.0, False)])
def test_a_budget_too_short_for_a_dear_baseline_leaves_it_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image_s: float, fits: bool
) -> None:
    def measure(measurable: Sequence[Candidate], *_: Any) -> Measured:
        # Many times as dear: its one epoch takes longer than the budget.
        costs = {
            one.key: cost(one.key, image_s=100.0 if one.name == "Baseline" else image_s)
            for one in measurable
        }
        return Measured(costs=costs, failures={}, trained_s=1.0)

    monkeypatch.setattr(sizing, "measure", measure)
    before = begun(tmp_path, [], 900.0)
    other = StartSetting(origin="defaults", values={**SMALL_CNN, "learning_rate": 0.002})
    after = sized(replace(before, starts=(*before.starts, other)), executor())
    assert after.sizes is not None
    assert (after.sizes.fits, after.sizes.compares_baseline) == (fits, False)
    assert after.file.compare == ()
    assert [one.origin for one in after.starts] == ["defaults"]
    assert "without the baseline" in after.sizes.text
    assert read_sizes(before.folder.read_config(), "config.yaml") == after.sizes


@pytest.mark.usefixtures("candidates")
def test_search_ends_early_enough_for_what_follows(tmp_path: Path) -> None:
    after = sized(begun(tmp_path, [], HOUR_S), executor())
    assert after.sizes is not None
    reserve_s = after.sizes.retraining_s + after.sizes.ending_s
    assert after.sizes.retraining_s > 0
    assert after.search_deadline == pytest.approx(after.began_s + HOUR_S - reserve_s)
    assert after.deadline == after.began_s + HOUR_S


def planned(**changes: Any) -> Sizes:
    """Nine epochs and two seeds, in 100 s and 20 s for the rest."""
    size = Size(
        min_epochs=1, max_epochs=3, iterations=1, retrain_epochs=9, n_seeds=1, n_verdict_seeds=2
    )
    usual: dict[str, Any] = {
        "size": size,
        "has_backbones": False,
        "fits": True,
        "most_epochs": 60,
        "most_seeds": 3,
        "retraining_s": 100.0,
        "ending_s": 20.0,
        "text": "",
    }
    return Sizes(**usual | changes)


@pytest.mark.parametrize(
    ("left_s", "epochs"), [(0.0, 9), (120.0, 9), (130.0, 9), (220.0, 18), (9999.0, 60)]
)
def test_time_that_the_search_leaves_over_makes_retrainings_longer(
    left_s: float, epochs: int
) -> None:
    assert settled(planned(most_seeds=2), left_s, 3).size.retrain_epochs == epochs


def test_frozen_networks_take_no_longer_where_the_others_do() -> None:
    # 60 s for nine epochs and two seeds of the others.
    size = settled(planned(fixed_s=40.0), 150.0, 3).size
    assert (size.n_verdict_seeds, size.retrain_epochs) == (3, 9)
    size = settled(planned(fixed_s=40.0, most_seeds=2), 150.0, 3).size
    assert (size.n_verdict_seeds, size.retrain_epochs) == (2, 13)


@pytest.mark.parametrize(
    ("left_s", "n_seeds", "epochs"),
    # 100 s for one seed of three epochs, and 20 s for the rest.
    [
        (150.0, 1, 3),
        (190.0, 1, 5),
        (220.0, 2, 3),
        (620.0, 2, 9),
        (919.0, 2, 13),
        (920.0, 3, 9),
        (1820.0, 3, 18),
    ],
)
def test_a_second_seed_then_length_then_a_third_seed(
    left_s: float, n_seeds: int, epochs: int
) -> None:
    just_reached = replace(planned().size, n_verdict_seeds=1, retrain_epochs=3)
    size = settled(planned(size=just_reached), left_s, 3).size
    assert (size.n_verdict_seeds, size.retrain_epochs) == (n_seeds, epochs)


def test_without_a_baseline_all_models_take_the_seeds_that_time_buys() -> None:
    one = replace(planned().size, n_verdict_seeds=1)
    size = settled(planned(size=one), 420.0, 3, has_baseline=False).size
    assert (size.n_seeds, size.n_verdict_seeds, size.retrain_epochs) == (3, 3, 12)


def test_time_that_is_short_of_a_second_seed_makes_retrainings_longer() -> None:
    one = replace(planned().size, n_verdict_seeds=1)
    size = settled(planned(size=one), 190.0, 3).size
    assert (size.n_verdict_seeds, size.retrain_epochs) == (1, 15)


def test_a_baseline_that_is_only_compared_is_not_begun_with() -> None:
    starts = [StartSetting(origin=name, values={}) for name in ("baseline", "defaults")]
    assert [one.origin for one in planned().begun_with(starts)] == ["baseline", "defaults"]
    lean = planned(tries_baseline=False)
    assert [one.origin for one in lean.begun_with(starts)] == ["defaults"]
    assert read_sizes(kept(lean), "config.yaml") == lean


def test_seeds_that_you_state_are_kept() -> None:
    one = replace(planned().size, n_verdict_seeds=1)
    assert settled(planned(size=one, most_seeds=1), 420.0, 3).size.n_verdict_seeds == 1


@pytest.mark.parametrize(("fits", "n"), [(True, 2), (False, 1)])
def test_where_time_is_short_it_is_for_winner_and_baseline(
    tmp_path: Path, fits: bool, n: int
) -> None:
    file = begun(tmp_path, [], None).file
    close = replace(file, retrain=replace(file.retrain, finalists=2))
    assert planned(fits=fits).applied(close).retrain.finalists == n


def test_what_does_not_fit_is_not_made_longer() -> None:
    assert settled(planned(fits=False), 9999.0, 3).size == planned().size


@pytest.mark.usefixtures("candidates")
def test_retraining_is_settled_once_and_a_resumed_run_keeps_it(tmp_path: Path) -> None:
    events: list[Event] = []
    before = sized(begun(tmp_path, events, HOUR_S), executor())
    assert before.sizes is not None
    short = replace(before.sizes.size, retrain_epochs=3)
    after = settle(replace(before, sizes=replace(before.sizes, size=short, retraining_s=60.0)))
    assert after.file.retrain.epochs == 60
    assert read_sizes(after.folder.read_config(), "config.yaml") == after.sizes
    assert settle(after) is after
    assert [event.text for event in events if isinstance(event, Notice)] == [
        "time is left over: 3 seeds, retrainings of up to 60 epochs"
    ]


def test_sizes_that_were_decided_before_are_kept(
    tmp_path: Path, candidates: list[Candidate]
) -> None:
    after = sized(begun(tmp_path, [], HOUR_S), executor())
    candidates.clear()
    assert sized(after, executor()) is after
    assert candidates == []


@pytest.mark.parametrize(("budget_s", "changes"), [(None, {}), (HOUR_S, {"outer": 1}), (30.0, {})])
def test_without_a_budget_in_an_outer_fold_and_in_no_time_nothing_is_sized(
    tmp_path: Path, candidates: list[Candidate], budget_s: float | None, changes: dict[str, Any]
) -> None:
    events: list[Event] = []
    before = begun(tmp_path, events, budget_s, **changes)
    assert sized(before, executor()) is before
    assert candidates == []
    told = [event.text for event in events if isinstance(event, SearchSized)]
    short = "the search is not sized, because 30 s are too short; it ends at the deadline"
    assert told == ([short] if budget_s == 30 else [])


def test_short_budget_measures_few_settings_and_compares_no_backbone(
    tmp_path: Path, candidates: list[Candidate]
) -> None:
    before = begun(tmp_path, [], 300.0)
    file = replace(before.file, compare=("baseline", "efficientnet_b2"))
    after = sized(replace(before, file=file), executor())
    assert len([one for one in candidates if one.name.startswith("setting")]) <= FEW_MEASURED
    assert {one.model for one in candidates} == {"cnn"}
    assert after.file.compare == ("baseline",)
    assert after.sizes is not None
    assert "without EfficientNetB2" in after.sizes.text


def work(folder: Path) -> Work:
    found = begun(folder, [], BUDGET_S)
    return Work(
        options=found.options,
        file=found.file,
        dataset=found.dataset,
        data=training_data(found.dataset, folder),
        settings=(),
        starts=(),
    )


@pytest.mark.parametrize(
    ("image_s", "share", "has_backbone"),
    [(SLOW_S, 0.5, True), (SLOW_S, 0.0, False), (120 * SLOW_S, 0.5, False)],
)
def test_a_backbone_may_take_half_of_the_time_whatever_that_costs_the_search(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    image_s: float,
    share: float,
    *,
    has_backbone: bool,
) -> None:
    monkeypatch.setattr(sizing, "BACKBONE_SHARE", share)
    possible = [Variant(known=one) for one in with_backbone(image_s)]
    sizes = sizes_for(work(tmp_path), possible, BUDGET_S, BUDGET_S).sizes
    assert sizes.fits
    assert sizes.has_backbones is has_backbone


def test_what_a_frozen_network_takes_is_known_not_to_grow_with_the_epochs(tmp_path: Path) -> None:
    (whole, lean) = with_backbone(SLOW_S)
    (*others, (backbone, its_cost)) = whole.contenders
    own = replace(whole, contenders=[*others, (replace(backbone, max_epochs=40), its_cost)])
    grows, fixed, without = (
        sizes_for(work(tmp_path), [Variant(known=one)], BUDGET_S, BUDGET_S).sizes.fixed_s
        for one in (whole, own, lean)
    )
    assert its_cost is not None
    training_s = 40 * its_cost.image_s * own.n_train
    assert fixed - without > training_s
    assert grows - without < training_s / 2


def test_a_backbone_that_fits_stays_where_there_is_no_time_for_the_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizing, "BACKBONE_SHARE", 0.0)

    def with_dear_baseline(known: Known) -> Known:
        dear = cost("dear", image_s=1.0)
        named = [(one, dear if one.name == BASELINE else found) for one, found in known.contenders]
        return replace(known, contenders=named, starts=[])

    whole, lean = (with_dear_baseline(one) for one in with_backbone(SLOW_S))
    possible = [Variant(known=whole), Variant(known=lean)]
    sizes = sizes_for(work(tmp_path), possible, BUDGET_S, BUDGET_S).sizes
    assert (sizes.fits, sizes.compares_baseline, sizes.has_backbones) == (True, False, True)


@pytest.mark.usefixtures("candidates")
def test_budget_too_short_for_anything_is_told_and_shared_out_as_without_sizes(
    tmp_path: Path,
) -> None:
    before = replace(begun(tmp_path, [], 90.0), began_s=time.time() - 85.0)
    after = sized(before, executor())
    assert after.sizes is not None
    assert not after.sizes.fits
    assert after.sizes.retraining_s + after.sizes.ending_s <= 5 / 3
    assert after.sizes.text.startswith("1.5 min: too short")
    assert after.sizes.text.endswith("; what does not fit is cut")


def test_what_cannot_be_measured_is_not_sized(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Measured:
        raise SearchError("no setting could be trained", "mend the space.")

    events: list[Event] = []
    monkeypatch.setattr(sizing, "measure", refuse)
    before = begun(tmp_path, events, HOUR_S)
    assert sized(before, executor()) is before
    (told,) = [event for event in events if isinstance(event, SearchSized)]
    assert told.text == "the search is not sized, because no setting could be trained"
    assert (told.n_trials, told.n_epochs > 0) == (71, True)


def test_search_that_has_begun_without_sizes_goes_on_without(
    tmp_path: Path, candidates: list[Candidate]
) -> None:
    events: list[Event] = []
    before = begun(tmp_path, events, HOUR_S, trials=[trial(0, 0.5)])
    assert sized(before, executor()) is before
    assert candidates == []
    assert [event.text for event in events if isinstance(event, SearchSized)] == [
        "the search is not sized, because it has begun; it ends at the deadline"
    ]


def test_end_that_is_asked_for_while_models_are_measured_decides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = begun(tmp_path, [], HOUR_S)

    def stopped(measurable: Sequence[Candidate], *_: Any) -> Measured:
        before.request.reason = "interrupted"
        one = measurable[0]
        return Measured(costs={one.key: cost(one.key)}, failures={}, trained_s=1.0)

    monkeypatch.setattr(sizing, "measure", stopped)
    monkeypatch.setattr(sizing, "known_of", lambda *_: None)
    assert sized(before, executor()) is before
    assert "sizes" not in before.folder.read_config()


def test_what_you_state_bounds_the_sizes(tmp_path: Path) -> None:
    file = begun(tmp_path, [], None).file
    names = ("keeps_depth", "keeps_number", "keeps_epochs", "keeps_seeds")

    def kept_by(**changes: Any) -> list[str]:
        found = bounds_of(RunOptions(dataset="x", **changes), file)
        return [name for name in names if getattr(found, name)]

    assert kept_by() == []
    assert kept_by(max_epochs=27) == ["keeps_depth"]
    stated = ("search.max_epochs=9", "search.iterations=2", "retrain.epochs=5", "retrain.seeds=2")
    assert kept_by(overrides=stated) == list(names)
    limited = replace(file, search=replace(file.search, max_trials=5))
    assert bounds_of(RunOptions(dataset="x"), limited).keeps_number


@pytest.mark.usefixtures("candidates")
@pytest.mark.parametrize("damage", [None, {"size": 3}, []])
def test_damaged_sizes_are_told(tmp_path: Path, damage: Any) -> None:
    found = sized(begun(tmp_path, [], HOUR_S), executor()).sizes
    assert found is not None
    assert read_sizes(kept(found), "x") == found
    assert read_sizes({}, "x") is None
    with pytest.raises(DamagedFileError, match=r"^config\.yaml: sizes are not those that a run"):
        read_sizes({"sizes": damage}, "config.yaml")
