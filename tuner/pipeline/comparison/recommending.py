"""Which of a run's models to use: chosen on validation images, before the test set is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from statistics import fmean
from typing import TYPE_CHECKING

from tuner.data.splits.fold import fold_of_seed
from tuner.metrics.one_standard_error import (
    MOST_GIVEN_UP,
    SHARES,
    choose,
    rule_in_words,
    standard_error,
)
from tuner.pipeline.comparison.retraining import RetrainedModels
from tuner.pipeline.job import Job
from tuner.records.contender import Contender, Trained
from tuner.records.recommendation import Recommendation, ValidatedModel
from tuner.records.results import ModelResult
from tuner.retrain.contenders import TUNED
from tuner.retrain.final_choice import smoothed_score
from tuner.space.constraints import NOT_KNOWN, Footprint
from tuner.space.costs import broken
from tuner.store.model_file import like

if TYPE_CHECKING:
    # What evaluation imports takes seconds.
    from tuner.evaluation.combined.kept_combination import KeptCombination
    from tuner.evaluation.kept_model import KeptModel


# Objectives between 0 and 1 whose score on the validation images a row measures as a training
# does. The loss of a training may smooth the labels, and only your builder can compute its own
# metrics.
_SHARED = frozenset({"val_accuracy", "val_balanced_accuracy", "val_macro_f1"})


def recommend(
    job: Job,
    trained: RetrainedModels,
    kept: Mapping[str, KeptModel],
    combined: Mapping[str, KeptCombination],
) -> Recommendation | None:
    """The model to use, by the one-standard-error rule; None where none may be used.

    The verdict's rules do not matter here: what it leaves out, such as a network trained from
    scratch, may still be the best that there is.

    Args:
        job: The run.
        trained: Each model with its retrainings.
        kept: The model of each one's best retraining, by name; only those that were saved can be
            recommended, and only those that keep the constraints.
        combined: The saved models of the rows that combine predictions, likewise.
    """
    models = [
        _validated(job, contender, trainings, kept[contender.name])
        for contender, trainings in trained
        if contender.name in kept and _may_be_used(contender.name, kept[contender.name], job)
    ]
    reasons = {name: _not_comparable(job, one) for name, one in combined.items()}
    by_chance = _by_chance(*trained[0]) if combined else 0.0
    models += [
        _validated_row(name, one, by_chance)
        for name, one in combined.items()
        if not reasons[name] and not breach(name, one.footprint, job)
    ]
    objective = job.file.objective
    most = MOST_GIVEN_UP if objective.name in _SHARED else inf
    choice = choose(models, objective.direction, most)
    if choice is None:
        return None
    name = choice.chosen.name
    file = (combined[name] if name in combined else kept[name]).file
    assert file is not None  # Only those that have one were to choose from.
    return Recommendation(
        model=name,
        file=like(job.folder.model, file).name,
        rule=rule_in_words(most, has_combinations=any(one.is_combined for one in models)),
        candidates=choice.ranked,
        level=tuple(one.name for one in choice.level),
        n_images=combined[name].worth.n_images
        if name in combined
        else _n_images(job, _good(next(found for one, found in trained if one.name == name))),
        left_out={name: reason for name, reason in reasons.items() if reason},
    )


def _may_be_used(name: str, kept: KeptModel, job: Job) -> bool:
    return kept.file is not None and not breach(name, kept.footprint, job)


def breach(name: str, takes: Footprint, job: Job) -> str:
    """The constraint or the limit of `--choose` that a model breaks; empty where there is none.

    Args:
        name: The contender's. The winner was measured, and chosen, when the search ended.
        takes: What is known of its kept model.
        job: The run.
    """
    over = job.file.constraints.broken(takes)
    return over or ("" if name == TUNED else broken(job.options.choose, takes))


def held(model: ModelResult, kept: KeptModel | KeptCombination | None, job: Job) -> ModelResult:
    """A scored model with the constraint or limit that it breaks.

    Args:
        model: Its row.
        kept: Its saved model, whose latency counts; None where there is none.
        job: The run.
    """
    known = kept.footprint if kept else NOT_KNOWN
    takes = Footprint(
        n_parameters=model.n_parameters,
        file_bytes=model.file_size_bytes,
        latency_ms=model.latency_ms if known.latency_ms is None else known.latency_ms,
        multiply_adds=known.multiply_adds,
    )
    return replace(model, breach=breach(model.name, takes, job))


def latency_bound(job: Job) -> float | None:
    """Milliseconds above which a model is timed again: the lowest limit that a run has."""
    bounds = [limit.bound for limit in job.options.choose if limit.name == "latency_ms"]
    stated = job.file.constraints.latency_ms
    return min([*bounds, *([] if stated is None else [stated])], default=None)


def timed_before(
    kept: Mapping[str, KeptModel], name: str, earlier_ms: float | None
) -> dict[str, KeptModel]:
    """The models, one of which was timed before: the least counts, as other work only adds to it.

    Args:
        kept: The models by name.
        name: Of that one, if it was kept.
        earlier_ms: Its latency then; None where it was not measured.
    """
    if earlier_ms is None or name not in kept:
        return dict(kept)
    takes = kept[name].footprint
    least_ms = earlier_ms if takes.latency_ms is None else min(takes.latency_ms, earlier_ms)
    timed = replace(kept[name], footprint=replace(takes, latency_ms=least_ms))
    return {**kept, name: timed}


def _not_comparable(job: Job, row: KeptCombination) -> str:
    """Why there is no choosing a row that was saved; empty where there is."""
    if row.is_one_pass:
        return "for which validation chose a single network and a single view"
    objective = job.file.objective.name
    if objective not in _SHARED:
        return f"whose {objective} is not measured as for a training"
    return ""


def _by_chance(winner: Contender, trainings: Sequence[Trained]) -> float:
    """How much better the winner's kept epochs look than what is expected of them.

    A combination of kept weights has no curve of its own, and owes about as much to chance.
    """
    good, monitor = _good(trainings), winner.early_stopping.monitor
    if not good:
        return 0.0
    return fmean(one.validation_score(monitor) - smoothed_score(winner, one) for one in good)


def _validated_row(name: str, row: KeptCombination, by_chance: float) -> ValidatedModel:
    return ValidatedModel(
        name=name,
        score=fmean(row.worth.scores) - by_chance,
        standard_error=row.worth.standard_error,
        n_parameters=row.model.count_params(),
        is_constant=row.is_constant,
        n_networks=row.n_networks,
        n_views=row.n_views,
    )


def _validated(
    job: Job, contender: Contender, trainings: Sequence[Trained], kept: KeptModel
) -> ValidatedModel:
    good = _good(trainings)
    scores = [smoothed_score(contender, one) for one in good]
    is_share = job.file.objective.name in SHARES
    return ValidatedModel(
        name=contender.name,
        score=fmean(scores),
        standard_error=standard_error(scores, _n_images(job, good), is_share=is_share),
        n_parameters=kept.model.count_params(),
        is_constant=kept.is_constant,
    )


def _good(trainings: Sequence[Trained]) -> list[Trained]:
    return [training for training in trainings if training.result.failure is None]


def _n_images(job: Job, trainings: Sequence[Trained]) -> int:
    """Validation images of the folds that these trainings had, each image once."""
    folds = job.dataset.split.folds
    numbers = {fold_of_seed(training.seed, len(folds)) for training in trainings}
    return sum(len(folds[number].validation) for number in numbers)
