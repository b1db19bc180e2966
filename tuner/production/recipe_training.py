"""Fresh models are trained by a sealed recipe, without a search; the best one is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tuner.backend import framework
from tuner.data.dataset import Dataset
from tuner.errors import TunerError
from tuner.execution.executor import Reports, epoch_listener
from tuner.execution.seeds import RETRAININGS, task_seed
from tuner.metrics.probabilities import checked_probabilities
from tuner.production.combined_training import train_ensemble, viewed_result, with_views
from tuner.production.one_training import LOOKED_AT, TrainedByRecipe, train_once
from tuner.production.train_options import RecipeTraining
from tuner.records.contender import Contender, Trained
from tuner.records.events import Listener, StageStarted
from tuner.records.sealed_recipe import Recipe
from tuner.records.training import EarlyStopping, TrainTask
from tuner.report.text import plural
from tuner.retrain.contenders import TUNED
from tuner.store.run_folder import RunFolder
from tuner.training.data import TrainingData

if TYPE_CHECKING:
    # What evaluation imports takes seconds.
    from tuner.evaluation.kept_model import KeptModel


def train_recipe(
    recipe: Recipe,
    data: TrainingData,
    dataset: Dataset,
    settings: RecipeTraining,
    folder: RunFolder,
    listener: Listener,
) -> TrainedByRecipe:
    """Train fresh models by a recipe, keep the best one and score all.

    Args:
        recipe: What is trained.
        data: What on: one fold, which may validate nothing.
        dataset: Has that fold and the test part.
        settings: How it is trained.
        folder: Where the model is saved, and what trains is kept meanwhile.
        listener: Called for everything that happens.

    Raises:
        TunerError: If a training fails, or a model puts out no probabilities.
    """
    listener(StageStarted(title="Starting the framework"))
    framework.start(settings.threads)
    from tuner.evaluation.evaluate import evaluate
    from tuner.evaluation.sealed import open_test

    combination = recipe.combination
    if combination and combination.members:
        found = train_ensemble(recipe, data, dataset, settings, folder, listener)
        # results.json has one model, whatever it is.
        named = replace(found.result, name=TUNED) if found.result else None
        return replace(found, result=named)
    contender = _contender(recipe)
    trained = _trained(recipe, data, settings, folder, listener)
    network = model = _keep(contender, trained, dataset, folder)
    if combination:
        model = with_views(recipe, network, dataset, folder)
    result = None
    if dataset.split.n_test:
        test = open_test(dataset)
        result, _ = evaluate(contender, trained, test, network)
        if result.error:
            raise TunerError(f"the model cannot be scored: {result.error}")
        if combination:
            result = viewed_result(recipe, contender, trained, result, model, test)
    return TrainedByRecipe(kept=model.training, model=model, result=result, combination=combination)


def _contender(recipe: Recipe) -> Contender:
    return Contender(
        name=TUNED,
        title=recipe.title or "Trained by a recipe",
        model=recipe.model,
        values=recipe.values,
        max_epochs=recipe.max_epochs,
        early_stopping=EarlyStopping(
            monitor=recipe.monitor,
            direction=recipe.direction,
            patience=recipe.patience,
            stop_metric=recipe.stop_metric,
            stop_value=recipe.stop_value,
            keeps_best=recipe.keeps_best,
        ),
        schedule=recipe.schedule,
    )


def _trained(
    recipe: Recipe,
    data: TrainingData,
    settings: RecipeTraining,
    folder: RunFolder,
    listener: Listener,
) -> list[Trained]:
    """One training per seed, one after the other."""
    from tuner.execution.inline import InlineExecutor

    first = recipe.seed if settings.seed is None else settings.seed
    more = [task_seed(first, RETRAININGS, number) for number in range(1, settings.seeds)]
    executor = InlineExecutor(Reports(on_epoch=epoch_listener(listener)))
    trained = []
    for number, seed in enumerate([first, *more]):
        of = f", seed {number + 1} of {settings.seeds}" if settings.seeds > 1 else ""
        images = plural(len(data.folds[0].train), "image")
        listener(StageStarted(title=f"Training on {images}{of}"))
        task = _task(recipe, number, seed, data, folder)
        result = train_once(executor, task, data)
        assert task.save_to is not None
        one = Trained(seed=number, task_seed=seed, result=result, checkpoint=task.save_to)
        trained.append(one)
    return trained


def _task(
    recipe: Recipe, number: int, seed: int, data: TrainingData, folder: RunFolder
) -> TrainTask:
    validates = len(data.folds[0].validation) > 0
    return TrainTask(
        task_id=f"training-{number}",
        model=recipe.model,
        values=recipe.values,
        seed=seed,
        first_epoch=1,
        last_epoch=recipe.max_epochs if validates else recipe.epochs,
        save_to=folder.state / f"training-{number}.npz",
        schedule=recipe.schedule,
        schedule_epochs=recipe.max_epochs,
        early_stopping=_contender(recipe).early_stopping if validates else None,
        precision=recipe.precision,
    )


def _keep(
    contender: Contender, trained: Sequence[Trained], dataset: Dataset, folder: RunFolder
) -> KeptModel:
    """The model that validated best, saved; the first where no validation images are left."""
    from tuner.backend.active import predictor
    from tuner.evaluation.kept_model import KeptModel, footprint_of, keep_model
    from tuner.evaluation.validation_images import validation_of
    from tuner.training.batch_predict import predict
    from tuner.training.compiled import probabilities
    from tuner.training.finished import finished_model, save_model

    spec, (fold,) = dataset.spec, dataset.split.folds
    rows, what, chosen = fold.train[:LOOKED_AT], "training images", trained[0]
    if len(fold.validation):
        validation = validation_of(dataset, contender.early_stopping.monitor)
        found = keep_model(contender, trained, validation, folder.model)
        assert found is not None  # A failed training has ended the command.
        if found.file is not None:
            return found
        # Its outputs are no probabilities: what is wrong with them is said, of this training.
        rows, what, chosen = fold.validation, "validation images", found.training
    model = finished_model(contender.model, contender.values, spec, chosen.checkpoint)
    function = predictor(model)
    outputs = probabilities(predict(function, dataset.images.images, rows))
    checked_probabilities(outputs, spec.n_classes, what)
    file = save_model(model, folder.model, spec)
    footprint = footprint_of(model, function, file, dataset.images.images[rows[:1]])
    return KeptModel(
        training=chosen, model=model, function=function, file=file, footprint=footprint
    )
