"""How a comparison is retrained, and what it tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.images import SMALL_CNN, tiny_dataset
from tests.pipeline.comparison.jobs import Searched, executor, job, trial
from tests.planning.contenders import STATED
from tests.search.fakes import FakeExecutor
from tuner.execution.stop import StopRequest
from tuner.models.backbones.weights import NoPretrainedWeightsError
from tuner.models.registry import complete
from tuner.pipeline.comparison import all_contenders, cheap_training
from tuner.pipeline.comparison.retraining import retrain_all
from tuner.pipeline.job import Job
from tuner.pipeline.sizes import Sizes
from tuner.planning.sizing import Size
from tuner.records.events import Event, Notice, StageStarted

FEATURES = f"tiny-{tiny_dataset().images.fingerprint[:16]}-features"


def titles(events: list[Event]) -> list[str]:
    return [event.title for event in events if isinstance(event, StageStarted)]


def compared(found: Job, trainer: FakeExecutor) -> Any:
    return retrain_all(found, Searched(), trainer)  # type: ignore[arg-type]


def test_all_are_retrained_side_by_side_the_winner_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[Event] = []
    monkeypatch.setattr(all_contenders, "missing_weights", lambda contender: None)
    trainer = executor()
    found = compared(job(tmp_path, events), trainer)
    assert titles(events) == [
        "Looking for pretrained weights",
        "Retraining Tuned, EfficientNetB2 (ImageNet)",
    ]
    assert [(one.name, len(trained)) for one, trained in found.models] == [
        ("tuned", 2),
        ("efficientnet_b2", 2),
    ]
    assert [task.data for task in trainer.tasks] == ["tuned-fold0", "efficientnet_b2-fold0"] * 2
    assert trainer.data["efficientnet_b2-fold0"].features == Path("datasets/data/.cache") / FEATURES


def test_without_weights_the_network_is_trained_from_scratch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(backbone: Any, values: Any) -> None:
        raise NoPretrainedWeightsError("no network", "connect.")

    events: list[Event] = []
    monkeypatch.setattr("tuner.models.backbones.network.build_network", refuse)
    found = compared(job(tmp_path, events), executor())
    assert titles(events)[1:] == ["Retraining Tuned, EfficientNetB2 (from scratch)"]
    assert [one.model for one, _ in found.models] == ["cnn", "efficientnet_b2"]
    assert [event.text for event in events if isinstance(event, Notice)] == [
        "EfficientNetB2 is trained from scratch, outside of the verdict: no network",
    ]


def test_request_while_they_train_leaves_the_comparison_for_another_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_contenders, "missing_weights", lambda contender: None)
    request = StopRequest()
    request.reason = "interrupted"
    assert compared(job(tmp_path, [], request=request), executor()) is None


OTHER = {**SMALL_CNN, "learning_rate": 0.02}


def two_close_trials(tmp_path: Path, events: list[Event], **changes: Any) -> Job:
    found = job(tmp_path, events, [trial(0, 0.5), trial(1, 0.49, values=OTHER)])
    file = replace(found.file, compare=("baseline",), **changes)
    return replace(found, file=replace(file, retrain=replace(file.retrain, finalists=2)))


def better_is(values: Mapping[str, Any], model: str = "cnn") -> FakeExecutor:
    """Trainings of this setting come out best."""
    whole = complete(model, values)
    return FakeExecutor(lambda task, epoch: {"val_accuracy": 0.9 if task.values == whole else 0.2})


@pytest.mark.parametrize(("best", "expected"), [(SMALL_CNN, "0000"), (OTHER, "0001")])
def test_of_settings_too_close_to_call_the_one_wins_that_retrains_best(
    tmp_path: Path, best: dict[str, Any], expected: str
) -> None:
    events: list[Event] = []
    found = compared(two_close_trials(tmp_path, events), better_is(best))
    assert titles(events) == ["Retraining Finalist 1, Finalist 2, Baseline"], "no winner yet"
    winner, trained = found.models[0]
    whole = complete("cnn", best)
    assert (winner.name, winner.title, winner.values) == ("tuned", "Tuned", whole)
    assert [one.name for one, _ in found.models] == ["tuned", "baseline"]
    assert found.winner.trial_id == expected
    assert [(one.trial_id, one.search_score) for one in found.finalists] == [
        ("0000", 0.5),
        ("0001", 0.49),
    ]
    assert {one.score for one in found.finalists} == {0.9, 0.2}
    assert all(one.result.failure is None for one in trained)


def test_one_finalist_is_nothing_to_choose_from(tmp_path: Path) -> None:
    close = two_close_trials(tmp_path, [])
    file = replace(close.file, retrain=replace(close.file.retrain, finalists=1))
    found = compared(replace(close, file=file), better_is(OTHER))
    assert (found.winner.trial_id, found.finalists) == ("0000", ())


def test_a_winner_that_is_the_baseline_is_trained_once_for_both(tmp_path: Path) -> None:
    events: list[Event] = []
    begun = job(tmp_path, events)
    card = begun.card.model_copy(update={"baseline": STATED})
    start = trial(0, 0.5, model=STATED.model, values=STATED.values, origin="baseline", bracket=-1)
    (tmp_path / "other").mkdir()
    begun = replace(job(tmp_path / "other", events, [start]), card=card)
    trainer = executor()
    found = compared(replace(begun, file=replace(begun.file, compare=("baseline",))), trainer)
    assert [one.name for one, _ in found.models] == ["tuned", "baseline"]
    assert found.models[0][1] == found.models[1][1]
    assert len(trainer.tasks) == begun.file.retrain.seeds
    assert not [event for event in events if isinstance(event, Notice)]
    assert titles(events) == ["Retraining Baseline"], "under one name"


@pytest.mark.parametrize(("cheap", "seeds"), [(1e12, [0, 1, 2]), (0.0, [0])])
def test_finalists_and_baseline_take_more_seeds_where_that_is_cheap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cheap: float, seeds: list[int]
) -> None:
    monkeypatch.setattr(cheap_training, "CHEAP", cheap)
    events: list[Event] = []
    close = two_close_trials(tmp_path, events)
    settings = replace(close.file.retrain, seeds=1, cheap_seeds=3)
    trainer = better_is(OTHER)
    begun = replace(close, file=replace(close.file, retrain=settings))
    found = compared(begun, trainer)
    assert [(one.name, [t.seed for t in trained]) for one, trained in found.models] == [
        ("tuned", seeds),
        ("baseline", seeds),
    ]
    # Two finalists and the baseline, side by side, and nothing is trained twice.
    assert titles(events) == ["Retraining Finalist 1, Finalist 2, Baseline"]
    assert len(trainer.tasks) == 3 * len(seeds)
    assert len({task.task_id for task in trainer.tasks}) == len(trainer.tasks)


@pytest.mark.parametrize(
    ("model", "best", "winner"), [(STATED.model, STATED.values, "0001"), ("cnn", OTHER, "0000")]
)
def test_a_baseline_that_the_search_has_tried_wins_where_it_retrains_best(
    tmp_path: Path, model: str, best: Mapping[str, Any], winner: str
) -> None:
    start = trial(1, 0.3, model=STATED.model, values=STATED.values, origin="baseline", bracket=-1)
    begun = job(tmp_path, [], [trial(0, 0.9, values=OTHER), start])
    begun = replace(begun, card=begun.card.model_copy(update={"baseline": STATED}))
    begun = replace(begun, file=replace(begun.file, compare=("baseline",)))
    trainer = better_is(best, model)
    found = compared(begun, trainer)
    assert found.winner.trial_id == winner
    assert [one.trial_id for one in found.finalists] == ["0000", "0001"]
    assert len(trainer.tasks) == 2 * begun.file.retrain.seeds


def test_a_baseline_that_the_search_calls_block_by_block_is_trained_once(tmp_path: Path) -> None:
    block_by_block = {name: value for name, value in SMALL_CNN.items() if name != "filters"}
    block_by_block["filters_0"] = SMALL_CNN["filters"]
    start = trial(1, 0.3, values=block_by_block, origin="baseline", bracket=-1)
    begun = job(tmp_path, [], [trial(0, 0.9, values=OTHER), start])
    stated = STATED.model_copy(update={"model": "cnn", "values": SMALL_CNN})
    begun = replace(begun, card=begun.card.model_copy(update={"baseline": stated}))
    begun = replace(begun, file=replace(begun.file, compare=("baseline",)))
    trainer = executor()
    found = compared(begun, trainer)
    assert [one.trial_id for one in found.finalists] == ["0000", "0001"]
    assert len(trainer.tasks) == 2 * begun.file.retrain.seeds


@pytest.mark.parametrize(
    ("n_workers", "is_late", "first"),
    [(1, False, "tuned-0"), (2, False, "baseline-0"), (2, True, "tuned-0")],
)
def test_the_longest_training_begins_first_where_that_saves_time(
    tmp_path: Path, n_workers: int, *, is_late: bool, first: str
) -> None:
    small = {**SMALL_CNN, "filters": 4, "dense_units": 8}
    begun = job(tmp_path, [], [trial(0, 0.5, values=small)])
    late = replace(begun.options, time_budget_s=0.0) if is_late else begun.options
    begun = replace(begun, file=replace(begun.file, compare=("baseline",)), options=late)
    trainer = executor()
    trainer.n_workers = n_workers
    found = compared(begun, trainer)
    assert trainer.tasks[0].task_id == first
    assert [one.name for one, _ in found.models] == ["tuned", "baseline"]


def sized_job(tmp_path: Path, n_verdict_seeds: int, ending_s: float = 0.0) -> Job:
    """A run with a time budget of ten minutes, which might train five seeds if time is left."""
    close = two_close_trials(tmp_path, [])
    size = Size(
        min_epochs=1,
        max_epochs=3,
        iterations=1,
        retrain_epochs=9,
        n_seeds=1,
        n_verdict_seeds=n_verdict_seeds,
    )
    sizes = Sizes(
        size=size,
        has_backbones=False,
        fits=True,
        most_epochs=9,
        most_seeds=5,
        retraining_s=9.0,
        ending_s=ending_s,
        text="",
    )
    options = replace(close.options, time_budget_s=600.0)
    return replace(close, options=options, sizes=sizes, file=sizes.applied(close.file))


def test_no_other_model_begins_after_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_contenders, "missing_weights", lambda contender: None)
    begun = sized_job(tmp_path, 3)
    both = replace(begun.file, compare=("baseline", "efficientnet_b2"))
    found = compared(replace(begun, file=both, began_s=begun.began_s - 700.0), better_is(OTHER))
    assert [
        (one.name, [training.result.failure is None for training in trained])
        for one, trained in found.models
    ] == [
        ("tuned", [True, False, False]),
        ("baseline", [False, False, False]),
        ("efficientnet_b2", [False]),
    ]


def test_repeats_that_a_time_budget_has_planned_are_made_whatever_they_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cheap_training, "CHEAP", 0.0)
    begun, trainer = sized_job(tmp_path, 3, ending_s=601.0), better_is(OTHER)
    found = compared(begun, trainer)
    assert [(one.name, len(trained)) for one, trained in found.models] == [
        ("tuned", 3),
        ("baseline", 3),
    ]
    assert {task.stop_at for task in trainer.tasks} == {begun.deadline}
    assert {task.last_epoch for task in trainer.tasks} == {9}
