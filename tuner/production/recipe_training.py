"""A fresh model is trained by a sealed recipe, without a search."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from tuner.backend import framework
from tuner.data.dataset import Dataset
from tuner.data.splits.fold import Fold
from tuner.errors import ConfigurationError, TunerError
from tuner.execution.executor import Reports, epoch_listener
from tuner.metrics.probabilities import checked_probabilities
from tuner.production.train_options import RecipeTraining
from tuner.records.events import Listener, StageStarted
from tuner.records.scores import Scores
from tuner.records.sealed_recipe import Recipe
from tuner.records.training import EarlyStopping, TrainResult, TrainTask
from tuner.store.files.leftovers import sweep, writer
from tuner.store.files.whole_files import write_atomically
from tuner.training.data import TrainingData

# Training images whose outputs are looked at where there are no test images.
_LOOKED_AT = 256


class _OnlyTriedError(Exception):
    """Ends the writing of a file before it takes its place."""


def check_writable(out: Path) -> None:
    """Refuse a file that could not be written, before anything is trained.

    Raises:
        ConfigurationError: If it is no .keras file, or cannot be written.
    """
    if out.suffix != ".keras" or out.is_dir():
        raise ConfigurationError(
            f"{out}: a model is a .keras file", "name a file such as model.keras."
        )
    try:
        with suppress(_OnlyTriedError), write_atomically(out):
            raise _OnlyTriedError
        # Of trainings that were killed.
        sweep(out.parent.glob(".*.keras*"))
    except OSError as error:
        raise ConfigurationError(
            f"{out}: cannot be written: {error.strerror}", "choose another file."
        ) from error


def train_recipe(
    recipe: Recipe,
    data: TrainingData,
    dataset: Dataset,
    settings: RecipeTraining,
    out: Path,
    listener: Listener,
) -> tuple[TrainResult, Scores | None, Path]:
    """Train a fresh model by a recipe, score it and save it.

    Args:
        recipe: What is trained.
        data: What on.
        dataset: Has the test part.
        settings: How it is trained.
        out: The .keras file to write.
        listener: Called for everything that happens.

    Returns:
        What came of the training, what the test part says of its model, and the file that holds it.

    Raises:
        TunerError: If the training fails, or the model puts out no probabilities.
    """
    listener(StageStarted(title="Starting the framework"))
    framework.start(settings.threads)
    from tuner.execution.inline import InlineExecutor
    from tuner.training.finished import finished_model, save_model

    checkpoint = out.with_name(f".{out.name}.{writer()}.npz")
    rule = EarlyStopping(
        monitor=recipe.monitor,
        direction=recipe.direction,
        patience=recipe.patience,
        stop_metric=recipe.stop_metric,
        stop_value=recipe.stop_value,
        keeps_best=recipe.keeps_best,
    )
    task = TrainTask(
        task_id="training",
        model=recipe.model,
        values=recipe.values,
        seed=recipe.seed if settings.seed is None else settings.seed,
        first_epoch=1,
        last_epoch=recipe.epochs if settings.full_data else recipe.max_epochs,
        save_to=checkpoint,
        schedule=recipe.schedule,
        schedule_epochs=recipe.max_epochs,
        early_stopping=None if settings.full_data else rule,
        precision=recipe.precision,
    )
    listener(StageStarted(title=f"Training on {len(data.folds[0].train):,} images"))
    executor = InlineExecutor(Reports(on_epoch=epoch_listener(listener)))
    try:
        executor.add_data(task.data, data)
        executor.submit(task)
        result = executor.next_result()
        if result.failure:
            raise TunerError(
                f"the training failed: {result.failure.reason}", "check the recipe's values."
            )
        model = finished_model(recipe.model, recipe.values, data.spec, checkpoint)
        test = tested(model, dataset, data.folds[0])
        saved = save_model(model, out, data.spec)
    finally:
        checkpoint.unlink(missing_ok=True)
    return result, test, saved


def tested(model: Any, dataset: Dataset, fold: Fold) -> Scores | None:
    """Scores on the test part; without one, only whether the model puts out probabilities.

    Raises:
        ScoreError: If it does not.
    """
    from tuner.backend.active import predictor
    from tuner.evaluation.sealed import open_test
    from tuner.training.batch_predict import predict
    from tuner.training.compiled import probabilities

    rows = dataset.split.test if dataset.split.n_test else fold.train[:_LOOKED_AT]
    found = probabilities(predict(predictor(model), dataset.images.images, rows))
    if dataset.split.n_test:
        return open_test(dataset).score(found)[0]
    checked_probabilities(found, dataset.spec.n_classes, "training images")
    return None
