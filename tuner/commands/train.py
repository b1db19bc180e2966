"""`train --from`: production training from a sealed recipe, without a search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tuner.pipeline.training_data import training_data
from tuner.production.fitting import load_fitting
from tuner.production.recipe_training import check_writable, train_recipe
from tuner.production.recipes import (
    data_changes,
    fold_of,
    full_fold,
    import_notice,
    recipe_path,
)
from tuner.production.train_options import TrainOptions
from tuner.records.events import Listener, Notice
from tuner.records.scores import Scores
from tuner.store.recipe_file import read_recipe


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


def train(options: TrainOptions, listener: Listener) -> TrainedModel:
    """Train a fresh model by the recipe of a run's recommended model, or of another one's.

    Raises:
        ConfigurationError: If the recipe cannot be read, or mirrors images whose class may change
            with it; or the model could not be written.
        DataError: If the data are missing, or of other classes than the recipe's, or cannot be made
            to fit it.
        TunerError: If the training fails, or the model puts out no probabilities.
    """
    path = recipe_path(options.source, options.model)
    recipe = read_recipe(path)
    if notice := import_notice(recipe.model):
        listener(Notice(text=notice))
    # Beside model.keras, whichever of the run's recipes it is: what the run keeps stays as it was.
    place = options.source if options.source.is_dir() else options.source.parent
    out = options.out or place / f"trained-{datetime.now(UTC):%Y%m%d-%H%M%S}.keras"
    check_writable(out)
    dataset, notes = load_fitting(recipe, path, options.data, options.data_dir)
    for text in notes:
        listener(Notice(text=text))
    changes = data_changes(recipe, dataset)
    # Other data are others by intent.
    for text in () if options.data else changes:
        listener(Notice(text=f"the data differ from those of the recipe: {text}"))
    is_full = options.training.full_data
    fold = full_fold(recipe, dataset) if is_full else fold_of(recipe, dataset)
    data = replace(training_data(dataset, options.data_dir), folds=(fold,))
    result, test, saved = train_recipe(recipe, data, dataset, options.training, out, listener)
    epoch = next(e for e in result.epochs if e.epoch == result.best_epoch)
    is_comparable = not changes and options.training.seed in (None, recipe.seed)
    return TrainedModel(
        model=saved,
        n_train=len(fold.train),
        epochs=epoch.epoch,
        monitor=recipe.monitor,
        n_validation=len(fold.validation),
        validation_score=None if is_full else epoch.metrics[recipe.monitor],
        expected=recipe.validation_score if is_comparable else None,
        test=test,
        expected_test=recipe.test_accuracy if is_comparable and not is_full else None,
    )
