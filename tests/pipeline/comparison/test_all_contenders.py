"""Who is compared: a run trains and a plan costs the same list."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calling import write_space
from tests.images import SMALL_CNN, image_spec, tiny_dataset
from tests.pipeline.comparison.jobs import Searched, executor, job
from tests.planning.contenders import STATED
from tuner.pipeline import costs
from tuner.pipeline.comparison import all_contenders as module
from tuner.pipeline.comparison.all_contenders import backbone_rules, contenders
from tuner.pipeline.comparison.retraining import retrain_all
from tuner.pipeline.job import Job
from tuner.pipeline.run_options import RunOptions
from tuner.pipeline.training_data import training_data
from tuner.records.contender import Contender
from tuner.records.events import Event, Notice
from tuner.records.results import PresetName
from tuner.space.parsing.parse import load_space

ALL = ("baseline", "baseline_published", "efficientnet_b2")
NO_SCHEDULE = "no published schedule is compared: this data set has no card that states one"


@pytest.fixture(autouse=True)
def no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "missing_weights", lambda contender: "no network")


def compared(found: Job) -> list[Contender]:
    events: list[Event] = []
    return contenders(
        found.options,
        found.card,
        found.file,
        found.dataset.spec,
        [(found.file.model, SMALL_CNN)],
        events.append,
    )


def comparing(tmp_path: Path, events: list[Event], *compare: str, **changes: Any) -> Job:
    """A run whose data set states a baseline."""
    found = job(tmp_path, events, **changes)
    card = found.card.model_copy(update={"baseline": STATED})
    return replace(found, card=card, file=replace(found.file, compare=compare))


def in_plan(found: Job) -> list[Contender]:
    """Those of a plan, for the options of a run."""
    work = costs.Work(
        options=found.options,
        file=found.file,
        dataset=found.dataset,
        data=training_data(found.dataset, found.options.data_dir),
        settings=(),
        starts=(),
    )
    return costs.compared(work, found.card, found.tell)


def in_run(found: Job) -> list[Contender]:
    """Those that a run retrains, the winner without its hyperparameters."""
    trained = retrain_all(found, Searched(), executor())  # type: ignore[arg-type]
    assert trained is not None
    (winner, _), *others = trained.models
    return [replace(winner, values={}), *(other for other, _ in others)]


@pytest.mark.parametrize("preset", ["quick", "standard", "thorough"])
@pytest.mark.parametrize("model", ["cnn", "efficientnet_b2"])
@pytest.mark.parametrize("compare", [ALL, ALL[:1], ALL[2:], ()], ids=len)
def test_plan_costs_what_a_run_trains(
    tmp_path: Path, preset: PresetName, model: str, compare: tuple[str, ...]
) -> None:
    planned, trained = list[Event](), list[Event]()
    options = RunOptions(dataset="tiny", preset=preset)
    found = comparing(tmp_path, planned, *compare, options=options)
    found = replace(found, file=replace(found.file, model=model))
    assert in_plan(found) == in_run(replace(found, tell=trained.append))
    assert notices(planned) == notices(trained)


def test_plan_says_what_is_left_out_as_a_run_does(tmp_path: Path) -> None:
    events: list[Event] = []
    found = comparing(tmp_path, events, "baseline_published", "efficientnet_b2")
    in_plan(replace(found, card=tiny_dataset().card))
    assert notices(events)[:2] == [
        NO_SCHEDULE,
        "EfficientNetB2 is trained from scratch, outside of the verdict: no network",
    ]


def test_plan_of_a_search_alone_compares_nothing(tmp_path: Path) -> None:
    options = RunOptions(dataset="tiny", search_only=True)
    assert in_plan(comparing(tmp_path, [], *ALL, options=options)) == []


def test_published_baseline_keeps_its_own_epochs_and_its_own_reason_to_stop(tmp_path: Path) -> None:
    found = comparing(tmp_path, [], "baseline", "baseline_published")
    tuned, usual, published = compared(found)
    assert (usual.name, usual.max_epochs, usual.early_stopping) == (
        "baseline",
        2,
        tuned.early_stopping,
    )
    rule = published.early_stopping
    assert (published.name, published.max_epochs) == ("baseline_published", 20)
    assert (rule.patience, rule.stop_metric, rule.stop_value) == (None, "accuracy", 0.999)


def test_backbone_without_weights_is_trained_from_scratch_with_its_fewer_images(
    tmp_path: Path,
) -> None:
    _, found = compared(comparing(tmp_path, [], "efficientnet_b2"))
    assert (found.values["weights"], found.max_epochs, found.max_train_images) == ("none", 2, 300)


@pytest.mark.parametrize(
    ("preset", "budget_s", "side", "size"),
    [
        ("quick", None, 48, 96),
        ("quick", None, 150, 150),
        ("standard", None, 48, 260),
        ("standard", None, 512, 260),
        ("standard", 1200.0, 48, 96),
        ("standard", 1200.0, 512, 260),
        ("standard", 3600.0, 48, 260),
    ],
)
def test_backbones_see_images_as_large_as_they_were_made_for_unless_it_is_to_be_quick(
    tmp_path: Path, preset: PresetName, budget_s: float | None, side: int, size: int
) -> None:
    options = RunOptions(dataset="tiny", preset=preset, time_budget_s=budget_s)
    file = load_space(write_space(tmp_path))
    assert backbone_rules(options, file, image_spec(side=side)).input_size == size


@pytest.mark.parametrize(("outer", "is_last"), [(None, True), (1, False)])
def test_run_with_a_time_budget_trains_a_backbone_from_scratch_as_a_last_resort(
    tmp_path: Path, outer: int | None, is_last: bool
) -> None:
    options = RunOptions(dataset="tiny", time_budget_s=600.0, outer=outer)
    file = load_space(write_space(tmp_path))
    assert backbone_rules(options, file, image_spec()).scratch.is_last_resort is is_last


def test_rate_of_a_backbone_falls_and_the_others_keep_the_presets_schedule(tmp_path: Path) -> None:
    found = comparing(tmp_path, [], "baseline", "efficientnet_b2")
    found = replace(found, file=replace(found.file, model="efficientnet_b2"))
    assert [one.schedule for one in compared(found)] == ["cosine", "constant", "constant"]


def notices(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Notice)]
