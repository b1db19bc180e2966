"""Models that combine predictions, trained anew: members of an ensemble, a network and views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.data.dataset import Dataset
from tuner.errors import ConfigurationError
from tuner.execution.executor import Reports, epoch_listener
from tuner.execution.seeds import TRIALS, task_seed
from tuner.models.registry import schedule_for
from tuner.production.one_training import LOOKED_AT, TrainedByRecipe, train_once
from tuner.production.train_options import RecipeTraining
from tuner.records.combination import Member, View
from tuner.records.contender import Contender, Trained
from tuner.records.events import Listener, StageStarted
from tuner.records.results import ModelResult
from tuner.records.sealed_recipe import Recipe
from tuner.records.training import EpochMetrics, TrainResult, TrainTask
from tuner.store.run_folder import RunFolder
from tuner.training.data import TrainingData

if TYPE_CHECKING:
    # What evaluation imports takes seconds.
    from tuner.evaluation.kept_model import KeptModel
    from tuner.evaluation.sealed import OpenedTest
    from tuner.evaluation.validation_images import Validation


def check_seeds(recipe: Recipe, settings: RecipeTraining) -> None:
    """Refuse several seeds of an ensemble.

    Raises:
        ConfigurationError: If they are asked for.
    """
    if recipe.combination and recipe.combination.members and settings.seeds > 1:
        n = len(recipe.combination.members)
        raise ConfigurationError(
            f"--seeds {settings.seeds}: the recipe is of an ensemble, whose {n} members have a"
            " seed each",
            "leave --seeds out; --seed N gives them other ones.",
        )


def train_ensemble(
    recipe: Recipe,
    data: TrainingData,
    dataset: Dataset,
    settings: RecipeTraining,
    folder: RunFolder,
    listener: Listener,
) -> TrainedByRecipe:
    """Train the members of an ensemble anew, and combine them by the shares of the recipe.

    A member is trained as its trial was: for as many epochs, and once for each fold. Temperatures
    are fitted to the new members where images validate; else those of the recipe stay.

    Args:
        recipe: Of an ensemble.
        data: What its members train on.
        dataset: Has the same folds, and the test part.
        settings: How they are trained.
        folder: Where the model is saved.
        listener: Called for everything that happens.

    Raises:
        TunerError: If a training fails, or the members cannot be one model.
    """
    from tuner.evaluation.ensemble import given_ensemble
    from tuner.evaluation.kept_model import KeptModel
    from tuner.evaluation.sealed import open_test

    assert recipe.combination is not None
    pairs, duration_s = _members_trained(recipe, data, settings, folder, listener)
    validates = len(dataset.split.folds[0].validation) > 0
    validation = _judging(dataset, recipe.monitor)
    # The images that trained would make the members too sure of themselves.
    ensemble = given_ensemble(pairs, validation, fits=validates)
    found = ensemble.keep(folder.model, validation)
    scores = {recipe.monitor: ensemble.worth.scores[0]} if validates else {}
    kept = _as_one_training(recipe, settings, scores, duration_s, folder)
    result = None
    if dataset.split.n_test:
        result, _ = ensemble.score(open_test(dataset), None, found)
        if not validates:
            unvalidated = (replace(run, validation_score=None) for run in result.runs)
            result = replace(result, runs=tuple(unvalidated))
    return TrainedByRecipe(
        kept=kept,
        model=KeptModel(
            training=kept,
            model=found.model,
            function=found.function,
            file=found.file,
            temperature=found.temperature if validates else None,
            is_constant=found.is_constant,
            footprint=found.footprint,
        ),
        result=result,
        combination=found.combination,
    )


def with_views(
    recipe: Recipe,
    model: KeptModel,
    dataset: Dataset,
    folder: RunFolder,
) -> KeptModel:
    """A kept model that averages over the views of the recipe, saved in its place."""
    from tuner.evaluation.combined.kept_combination import (
        N_CHECKED,
        SaidOfValidation,
        save_combination,
    )
    from tuner.evaluation.combined.mixed_network import view_network
    from tuner.evaluation.image_views import ViewSet, averaged
    from tuner.evaluation.temperature import fitted_temperature

    views, (fold,) = _views(recipe), dataset.split.folds
    images, labels = dataset.images.images, dataset.images.labels
    rows = fold.validation if len(fold.validation) else fold.train[:LOOKED_AT]
    (found,) = averaged(model.function, images, rows, [ViewSet(title="", views=views)])
    network = view_network(model.model, views, dataset.spec)
    said = SaidOfValidation(
        images=images,
        checked=rows[:N_CHECKED],
        expected=found[:N_CHECKED],
        labels=labels[rows],
        found=found,
    )
    saved = save_combination(network, folder.model, said, dataset.spec)
    validates = len(fold.validation) > 0
    return replace(
        model,
        model=network,
        function=saved.function,
        file=saved.file,
        temperature=fitted_temperature(labels[rows], found) if validates else None,
        footprint=saved.footprint,
    )


def viewed_result(
    recipe: Recipe,
    contender: Contender,
    trained: Sequence[Trained],
    row: ModelResult,
    model: KeptModel,
    test: OpenedTest,
) -> ModelResult:
    """Scores of trainings whose images are seen in the views of the recipe.

    Args:
        recipe: Has the views.
        contender: What was trained.
        trained: Its trainings.
        row: Scores without views.
        model: The saved model, with them.
        test: The test images.

    Raises:
        ScoreError: If the predictions of any training cannot be scored.
    """
    from tuner.backend.active import predictor
    from tuner.evaluation.image_views import ViewSet, averaged
    from tuner.training.finished import finished_model

    runs, chosen = [], ViewSet(title="", views=_views(recipe))
    for run, training in zip(row.runs, trained, strict=True):
        network = finished_model(contender.model, contender.values, test.spec, training.checkpoint)
        (found,) = averaged(predictor(network), test.images, test.rows, [chosen])
        scores, scores_on_new = test.score(found)
        runs.append(replace(run, test=scores, test_distinct=scores_on_new))
    return replace(
        row,
        runs=tuple(runs),
        n_parameters=model.footprint.n_parameters,
        file_size_bytes=model.footprint.file_bytes,
        latency_ms=model.footprint.latency_ms,
    )


def _views(recipe: Recipe) -> tuple[View, ...]:
    assert recipe.combination is not None
    return recipe.combination.views


def _members_trained(
    recipe: Recipe,
    data: TrainingData,
    settings: RecipeTraining,
    folder: RunFolder,
    listener: Listener,
) -> tuple[list[tuple[Member, Path]], float]:
    """The members, each with its checkpoint, and the seconds of all trainings."""
    from tuner.execution.inline import InlineExecutor

    assert recipe.combination is not None
    members = recipe.combination.members
    executor = InlineExecutor(Reports(on_epoch=epoch_listener(listener)))
    found, duration_s = [], 0.0
    for number, member in enumerate(members):
        title = f"Training member {number + 1} of {len(members)}, {member.model}"
        listener(StageStarted(title=title))
        own = member
        if settings.seed is not None:
            own = replace(member, seed=task_seed(settings.seed, TRIALS, number))
        path = folder.state / f"member-{number}.npz"
        task = _task(recipe, own, path)
        result = train_once(executor, task, data, f"the training of member {number + 1}")
        duration_s += result.duration_s
        found.append((own, path))
    return found, duration_s


def _task(recipe: Recipe, member: Member, save_to: Path) -> TrainTask:
    """The training of a trial of the search."""
    return TrainTask(
        task_id=save_to.stem,
        model=member.model,
        values=member.values,
        seed=member.seed,
        first_epoch=1,
        last_epoch=member.epochs,
        save_to=save_to,
        schedule=schedule_for(member.model, "constant"),
        schedule_epochs=member.schedule_epochs,
        precision=recipe.precision,
    )


def _judging(dataset: Dataset, objective: str) -> Validation:
    """The validation images; some that trained where no others are left."""
    from tuner.evaluation.validation_images import validation_of

    found = validation_of(dataset, objective)
    if all(len(rows) for rows in found.rows):
        return found
    rows = dataset.split.folds[0].train[:LOOKED_AT]
    return replace(found, rows=(rows,), labels=(dataset.images.labels[rows],))


def _as_one_training(
    recipe: Recipe,
    settings: RecipeTraining,
    scores: dict[str, float],
    duration_s: float,
    folder: RunFolder,
) -> Trained:
    """All members as one training, which ends with the longest of them."""
    n_epochs = recipe.epochs
    epoch = EpochMetrics(epoch=n_epochs, metrics=scores, duration_s=duration_s)
    return Trained(
        seed=0,
        task_seed=recipe.seed if settings.seed is None else settings.seed,
        result=TrainResult(
            task_id="ensemble", epochs=(epoch,), duration_s=duration_s, best_epoch=n_epochs
        ),
        checkpoint=folder.model,
    )
