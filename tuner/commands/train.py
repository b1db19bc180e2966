"""`train --from`: production training from a sealed recipe, without a search."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import numpy as np

from tuner.backend import environment
from tuner.commands.options import DATA_ROOT
from tuner.commands.outputs import training_data
from tuner.commands.train_data import load_fitting
from tuner.data.dataset import Dataset
from tuner.data.splits.fold import Fold
from tuner.errors import ConfigurationError, TunerError
from tuner.execution.executor import Reports, epoch_listener
from tuner.metrics.probabilities import checked_probabilities
from tuner.names import printable
from tuner.records.events import Listener, Notice, StageStarted
from tuner.records.recipe import Recipe
from tuner.records.scores import Scores
from tuner.records.training import EarlyStopping, TrainResult, TrainTask
from tuner.store.files import write_atomically
from tuner.store.leftovers import sweep, writer
from tuner.store.nearest_path import did_you_mean_path
from tuner.store.recipe_file import read_recipe
from tuner.training.data import TrainingData

# Training images whose outputs are looked at where there are no test images.
_LOOKED_AT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """Options of `train`.

    Attributes:
        source: A run's folder, or a best.yaml.
        data: Other data of the same classes; None takes the recipe's own.
        full_data: Train on validation images too, for as many epochs as the best epoch of the run.
        seed: Replaces the recipe's; None keeps it, so that the run's own training is repeated.
        data_dir: Root of the data.
        out: The .keras file to write; None puts it beside the recipe.
        threads: Of the processor; with one, as in a run, the run's numbers come out again to the
            last bit.
    """

    source: Path
    data: str | None = None
    full_data: bool = False
    seed: int | None = None
    data_dir: Path = DATA_ROOT
    out: Path | None = None
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """What `train` made.

    Attributes:
        model: The .keras file, or in its place a .weights.h5 where Keras cannot describe the model.
        n_train: Images it was trained on.
        epochs: The epoch whose weights it holds.
        monitor: The metric that chose the epoch.
        n_validation: Images that validated; 0 where all of the data trained.
        validation_score: That metric in that epoch; None where all of the data trained.
        expected: The same in the recipe's run; None where nothing comparable is known.
        test: Scores on the test part of the data; None where it has none.
        expected_test: The test accuracy in the recipe's run; None where nothing comparable is
            known.
    """

    model: Path
    n_train: int
    epochs: int
    monitor: str
    n_validation: int
    validation_score: float | None
    expected: float | None
    test: Scores | None
    expected_test: float | None


def recipe_path(source: Path) -> Path:
    """The recipe of a run's folder, or the file itself.

    Raises:
        ConfigurationError: If there is none.
    """
    path = source / "best.yaml" if source.is_dir() else source
    if not path.is_file():
        raise ConfigurationError(
            f"{source}: there is no best.yaml, so this is not a finished run",
            f"{did_you_mean_path(source)}give the folder of a finished run, "
            "such as reports/digits/20260131-101500-0a1b2c3d, or a best.yaml.",
        )
    return path


def train(options: TrainOptions, listener: Listener) -> TrainedModel:
    """Train a fresh model with the best hyperparameters.

    Raises:
        ConfigurationError: If the recipe cannot be read, or mirrors images whose class may change
            with it; or the model could not be written.
        DataError: If the data are missing, or of other classes than the recipe's, or cannot be made
            to fit it.
        TunerError: If the training fails, or the model puts out no probabilities.
    """
    path = recipe_path(options.source)
    recipe = read_recipe(path)
    if notice := import_notice(recipe.model):
        listener(Notice(text=notice))
    out = options.out or path.with_name(f"trained-{datetime.now(UTC):%Y%m%d-%H%M%S}.keras")
    _check_writable(out)
    dataset, notes = load_fitting(recipe, path, options.data, options.data_dir)
    for text in notes:
        listener(Notice(text=text))
    changes = differences(recipe, dataset)
    # Other data are others by intent.
    for text in () if options.data else changes:
        listener(Notice(text=f"the data differ from those of the recipe: {text}"))
    fold = _fold(recipe, dataset)
    if options.full_data:
        everything = np.sort(np.concatenate([fold.train, fold.validation]))
        fold = Fold(train=everything, validation=everything[:0])
    data = replace(training_data(dataset, options.data_dir), folds=(fold,))
    result, test, saved = _train(recipe, data, dataset, options, out, listener)
    epoch = next(e for e in result.epochs if e.epoch == result.best_epoch)
    is_comparable = not changes and options.seed in (None, recipe.seed)
    return TrainedModel(
        model=saved,
        n_train=len(fold.train),
        epochs=epoch.epoch,
        monitor=recipe.monitor,
        n_validation=len(fold.validation),
        validation_score=None if options.full_data else epoch.metrics[recipe.monitor],
        expected=recipe.validation_score if is_comparable else None,
        test=test,
        expected_test=recipe.test_accuracy if is_comparable and not options.full_data else None,
    )


def import_notice(model: str) -> str | None:
    """What is about to be imported for a model that is not built in; nothing is imported to find it."""
    module, is_own, function = model.partition(":")
    if not is_own:
        return None
    # As the builder is found: the working directory first, then what is installed.
    spec = PathFinder.find_spec(module.partition(".")[0], [str(Path.cwd()), *sys.path])
    places = [spec.origin, *(spec.submodule_search_locations or ())] if spec else []
    place = printable(next(filter(None, places), "not found yet"))
    return f"this recipe imports {module} ({place}) and runs its {function}, which is code"


class _OnlyTriedError(Exception):
    """Ends the writing of a file before it takes its place."""


def _check_writable(out: Path) -> None:
    """Refuse a file that could not be written, before anything is trained."""
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


def differences(recipe: Recipe, dataset: Dataset) -> list[str]:
    """What is not as it was when the recipe was made; empty where all is the same."""
    found = []
    data, fold = recipe.data, _fold(recipe, dataset)
    for name, before, part in (
        ("training", data.n_train, fold.train),
        ("validation", data.n_validation, fold.validation),
        ("test", data.n_test, dataset.split.test),
    ):
        if before != len(part):
            found.append(f"{len(part):,} {name} images, {before:,} then")
    now, then = (
        fingerprint[:12] for fingerprint in (dataset.images.fingerprint, recipe.data.fingerprint)
    )
    if now != then:
        found.append(f"images or labels changed (fingerprint {now}, {then} then)")
    return found


def _fold(recipe: Recipe, dataset: Dataset) -> Fold:
    """The part of the data that the recipe's model was trained on; other data may have fewer folds."""
    folds = dataset.split.folds
    return folds[recipe.data.fold % len(folds)]


def _train(
    recipe: Recipe,
    data: TrainingData,
    dataset: Dataset,
    options: TrainOptions,
    out: Path,
    listener: Listener,
) -> tuple[TrainResult, Scores | None, Path]:
    """What came of the training, what the test part says of its model, and the file that holds it."""
    environment.prepare()
    listener(StageStarted(title="Starting the framework"))
    from tuner.backend.active import prepare_devices
    from tuner.execution.inline import InlineExecutor
    from tuner.training.finished import finished_model, save_model

    prepare_devices(options.threads)
    checkpoint = out.with_name(f".{out.name}.{writer()}.npz")
    rule = EarlyStopping(
        monitor=recipe.monitor, direction=recipe.direction, patience=recipe.patience
    )
    task = TrainTask(
        task_id="training",
        model=recipe.model,
        values=recipe.values,
        seed=recipe.seed if options.seed is None else options.seed,
        first_epoch=1,
        last_epoch=recipe.epochs if options.full_data else recipe.max_epochs,
        save_to=checkpoint,
        schedule=recipe.schedule,
        schedule_epochs=recipe.max_epochs,
        early_stopping=None if options.full_data else rule,
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
        test = _tested(model, dataset, data.folds[0])
        saved = save_model(model, out, data.spec)
    finally:
        checkpoint.unlink(missing_ok=True)
    return result, test, saved


def _tested(model: Any, dataset: Dataset, fold: Fold) -> Scores | None:
    """Scores on the test part; without one, a look at whether the model puts out probabilities at all.

    Raises:
        ScoreError: If it does not.
    """
    from tuner.backend.active import predictor
    from tuner.evaluation.sealed import open_test
    from tuner.training.compiled import probabilities
    from tuner.training.fit import predict

    rows = dataset.split.test if dataset.split.n_test else fold.train[:_LOOKED_AT]
    found = probabilities(predict(predictor(model), dataset.images.images, rows))
    if dataset.split.n_test:
        return open_test(dataset).score(found)[0]
    checked_probabilities(found, dataset.spec.n_classes, "training images")
    return None
