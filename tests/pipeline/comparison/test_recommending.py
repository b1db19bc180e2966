"""Which of a run's models to use, and what the choice rests on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.images import stopping, tiny_dataset
from tests.pipeline.comparison.jobs import job
from tuner.data.splits.fold import Fold
from tuner.evaluation.out_of_choice import OutOfChoice
from tuner.metrics.one_standard_error import MOST_GIVEN_UP, rule_in_words
from tuner.pipeline.comparison.recommending import recommend
from tuner.pipeline.job import Job
from tuner.records.contender import Contender, Trained
from tuner.records.recommendation import Recommendation
from tuner.records.training import EpochMetrics, Failure, TrainResult
from tuner.space.constraints import Constraints, Footprint
from tuner.space.definition import Objective

RULE = rule_in_words(MOST_GIVEN_UP, has_combinations=False)


@dataclass
class Kept:
    """As much of a kept model as a choice reads."""

    n_parameters: int
    file: Path | None
    is_constant: bool = False
    latency_ms: float = 1.0

    @property
    def footprint(self) -> Footprint:
        return Footprint(n_parameters=self.n_parameters, latency_ms=self.latency_ms)

    @property
    def model(self) -> Kept:
        return self

    def count_params(self) -> int:
        return self.n_parameters


def contender(name: str, **changes: Any) -> Contender:
    usual: dict[str, Any] = {
        "name": name,
        "title": name,
        "model": "cnn",
        "values": {},
        "max_epochs": 1,
        "early_stopping": stopping(),
    }
    return Contender(**usual | changes)


def trained(scores: list[float | None], metric: str = "val_accuracy") -> list[Trained]:
    """One training per score; None is one that failed."""
    return [
        Trained(
            seed=seed,
            task_seed=100 + seed,
            checkpoint=Path("none"),
            result=TrainResult(
                task_id=f"t-{seed}",
                epochs=()
                if score is None
                else (EpochMetrics(epoch=1, metrics={metric: score}, duration_s=1.0),),
                duration_s=1.0,
                best_epoch=None if score is None else 1,
                failure=Failure(reason="out of memory") if score is None else None,
            ),
        )
        for seed, score in enumerate(scores)
    ]


@dataclass
class Combined:
    """As much of a saved row as a choice reads."""

    worth: OutOfChoice
    n_parameters: int
    n_networks: int = 2
    n_views: int = 1
    is_constant: bool = False

    @property
    def is_one_pass(self) -> bool:
        return self.n_networks * self.n_views == 1

    @property
    def file(self) -> Path:
        return Path("ensemble.keras")

    @property
    def model(self) -> Combined:
        return self

    @property
    def footprint(self) -> Footprint:
        return Footprint(n_parameters=self.n_parameters)

    def count_params(self) -> int:
        return self.n_parameters


def row(score: float, n_parameters: int, **changes: Any) -> Combined:
    worth = OutOfChoice(scores=(score,), standard_error=0.02, n_images=16)
    return Combined(worth=worth, n_parameters=n_parameters, **changes)


def recommended(
    found: Job,
    models: dict[str, tuple[list[float | None], Kept]],
    combined: dict[str, Combined] | None = None,
    **changes: Any,
) -> Recommendation | None:
    monitor = found.file.objective.name
    rule = stopping(monitor=monitor, direction=found.file.objective.direction)
    pairs = [
        (contender(name, early_stopping=rule, **changes), trained(scores, monitor))
        for name, (scores, _) in models.items()
    ]
    kept = {name: kept for name, (_, kept) in models.items()}
    return recommend(found, pairs, kept, combined or {})  # type: ignore[arg-type]


def whole(n_parameters: int, name: str = "x") -> Kept:
    return Kept(n_parameters, Path(f"{name}.keras"))


def test_model_that_the_verdict_leaves_out_may_be_the_one_to_use(tmp_path: Path) -> None:
    models = {"tuned": ([0.5], whole(10)), "efficientnet_b2": ([1.0], whole(1000))}
    found = recommended(job(tmp_path, []), models, in_verdict=False)
    assert found is not None
    assert (found.model, found.file) == ("efficientnet_b2", "model.keras")
    assert [one.name for one in found.candidates] == ["efficientnet_b2", "tuned"]
    assert (found.level, found.n_images) == (("efficientnet_b2",), 16)
    assert found.chosen.score == 1.0


def test_level_on_few_images_the_smaller_one_is_taken(tmp_path: Path) -> None:
    models = {"tuned": ([0.9], whole(1000)), "baseline": ([0.885], whole(10))}
    found = recommended(job(tmp_path, []), models)
    assert found is not None
    assert found.model == "baseline"
    assert found.level == ("tuned", "baseline")


def test_what_breaks_a_constraint_is_never_the_one_to_use(tmp_path: Path) -> None:
    models = {
        "tuned": ([0.6], whole(10)),
        "baseline": ([0.9], whole(1000)),
        "efficientnet_b2": ([1.0], replace(whole(10), latency_ms=7.0)),
    }
    found = job(tmp_path, [])
    bounds = Constraints(parameters=999, latency_ms=5.0)
    kept = recommended(replace(found, file=replace(found.file, constraints=bounds)), models)
    assert kept is not None
    assert [one.name for one in kept.candidates] == ["tuned"]
    none = replace(found.file, constraints=Constraints(parameters=9))
    assert recommended(replace(found, file=none), models) is None


def test_failed_trainings_do_not_count_and_a_model_without_a_file_is_none(tmp_path: Path) -> None:
    models = {
        "tuned": ([0.6, None], whole(10)),
        "baseline": ([0.9], Kept(1, None)),
    }
    found = recommended(job(tmp_path, []), models)
    assert found is not None
    assert [one.name for one in found.candidates] == ["tuned"]
    assert found.chosen.score == 0.6
    assert recommended(job(tmp_path, []), {"tuned": ([0.6], Kept(1, None))}) is None


def test_weights_stand_in_for_a_model_that_keras_cannot_describe(tmp_path: Path) -> None:
    kept = Kept(10, Path("tuned.weights.h5"))
    found = recommended(job(tmp_path, []), {"tuned": ([0.6], kept)})
    assert found is not None
    assert found.file == "model.weights.h5"


def test_score_of_folds_rests_on_the_images_of_those_that_were_trained(tmp_path: Path) -> None:
    dataset = tiny_dataset()
    folds = tuple(
        Fold(train=np.arange(48), validation=np.arange(start, start + 4)) for start in (48, 52, 56)
    )
    folded = replace(dataset, split=replace(dataset.split, folds=folds))
    found = job(tmp_path, [], dataset=folded)
    for scores, n_images in (
        ([0.5, 0.5], 8),
        ([0.5, None, 0.5], 8),
        ([0.5, 0.5, 0.5, 0.5], 12),
    ):
        chosen = recommended(found, {"tuned": (scores, whole(10))})
        assert chosen is not None
        assert chosen.n_images == n_images


@pytest.mark.parametrize(
    ("name", "direction", "best"), [("val_loss", "min", "tuned"), ("val_macro_f1", "max", "other")]
)
def test_other_objectives_have_the_noise_of_their_seeds(
    tmp_path: Path, name: str, direction: Any, best: str
) -> None:
    found = job(tmp_path, [])
    found = replace(
        found, file=replace(found.file, objective=Objective(name=name, direction=direction))
    )
    one_seed = {"tuned": ([0.50], whole(1000)), "other": ([0.51], whole(10))}
    chosen = recommended(found, one_seed)
    assert chosen is not None
    assert chosen.model == best
    assert chosen.chosen.standard_error == 0.0
    noisy = {"tuned": ([0.4, 0.6], whole(1000)), "other": ([0.41, 0.61], whole(10))}
    chosen = recommended(found, noisy)
    assert chosen is not None
    assert (chosen.model, len(chosen.level)) == ("other", 2)


def test_an_ensemble_that_is_clearly_better_is_the_one_to_use(tmp_path: Path) -> None:
    models = {"tuned": ([0.5], whole(100))}
    found = recommended(job(tmp_path, []), models, {"ensemble": row(0.9, 300)})
    assert found is not None
    assert (found.model, found.file, found.n_images) == ("ensemble", "model.keras", 16)
    assert found.rule == rule_in_words(MOST_GIVEN_UP, has_combinations=True)
    assert found.chosen.n_networks == 2
    assert recommended(job(tmp_path, []), models).rule == RULE  # type: ignore[union-attr]


def test_a_combination_owes_as_much_to_a_lucky_epoch_as_the_winner(tmp_path: Path) -> None:
    epochs = tuple(
        EpochMetrics(epoch=i, metrics={"val_accuracy": score}, duration_s=1.0)
        for i, score in enumerate((0.7, 0.7, 0.9, 0.7, 0.7), start=1)
    )
    (one,) = trained([0.9])
    lucky = replace(one, result=replace(one.result, epochs=epochs, best_epoch=3))
    found = recommend(
        job(tmp_path, []),
        [(contender("tuned", early_stopping=stopping()), [lucky])],
        {"tuned": whole(100)},  # type: ignore[dict-item]
        {"ensemble": row(0.91, 300)},  # type: ignore[dict-item]
    )
    assert found is not None
    assert {one.name: round(one.score, 3) for one in found.candidates} == {
        "ensemble": 0.75,
        "tuned": 0.74,
    }


@pytest.mark.parametrize(
    "combined",
    [
        {"ensemble": row(0.91, 300)},
        # As small as the network itself, but ten times as much to compute.
        {"tuned_tta": row(0.91, 101, n_networks=1, n_views=10)},
        # A small network beside a frozen backbone adds hardly a parameter.
        {"ensemble": row(0.91, 105)},
    ],
)
def test_level_with_a_single_network_a_combination_is_not_chosen(
    tmp_path: Path, combined: dict[str, Combined]
) -> None:
    models = {"tuned": ([0.9], whole(100))}
    found = recommended(job(tmp_path, []), models, combined)
    assert found is not None
    assert (found.model, len(found.level)) == ("tuned", 2)


def test_a_combination_that_cannot_be_compared_is_left_out_with_the_reason(tmp_path: Path) -> None:
    models = {"tuned": ([0.5], whole(100))}
    alone = recommended(job(tmp_path, []), models, {"ensemble": row(0.9, 100, n_networks=1)})
    assert alone is not None
    assert (alone.model, alone.rule) == ("tuned", RULE)
    assert "a single network" in alone.left_out["ensemble"]
    found = job(tmp_path, [])
    loss = Objective(name="val_loss", direction="min")
    found = replace(found, file=replace(found.file, objective=loss))
    other = recommended(found, models, {"ensemble": row(0.1, 300)})
    assert other is not None
    assert other.left_out == {"ensemble": "whose val_loss is not measured as for a training"}


def test_a_combination_that_breaks_a_constraint_is_not_chosen(tmp_path: Path) -> None:
    found = job(tmp_path, [])
    bounds = replace(found.file, constraints=Constraints(parameters=200))
    models = {"tuned": ([0.5], whole(100))}
    kept = recommended(replace(found, file=bounds), models, {"ensemble": row(0.9, 300)})
    assert kept is not None
    assert [one.name for one in kept.candidates] == ["tuned"]
