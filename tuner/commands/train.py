"""`train --from`: production training from a sealed recipe, without a search."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tuner.data.dataset import Dataset
from tuner.errors import ConfigurationError
from tuner.metrics.expected_score import interval_of_mean
from tuner.pipeline.announce import corrected_words
from tuner.pipeline.outputs.named_run import named_run
from tuner.pipeline.run_options import REPORTS
from tuner.pipeline.training_data import training_data
from tuner.production.changes import code_changes, data_changes
from tuner.production.chosen_setting import chosen_recipe
from tuner.production.combined_training import check_seeds
from tuner.production.fitting import load_fitting
from tuner.production.one_training import TrainedByRecipe
from tuner.production.recipe_training import train_recipe
from tuner.production.recipes import fold_of, full_fold, import_notice, recipe_path
from tuner.production.train_options import TrainOptions
from tuner.production.trained_folder import trained_folder, write_trained
from tuner.records.events import Listener, Notice
from tuner.records.expected_score import ExpectedScore
from tuner.records.results import SeedResult
from tuner.records.sealed_recipe import Recipe
from tuner.store.recipe_file import read_recipe
from tuner.store.run_folder import RunFolder

_WHAT_CHANGES_MEAN = (
    "the expected interval at the end shows whether these differences matter; with --verify, a"
    " score outside of it ends the command with exit code 3"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """What `train` made.

    Attributes:
        folder: Where it is.
        model: The .keras file, or in its place a .weights.h5 where Keras cannot describe the model.
        n_train: Images it was trained on.
        epochs: The epoch whose weights it holds.
        monitor: The metric that chose the epoch.
        n_validation: Images that validated; 0 where all of the data trained.
        validation_score: That metric in that epoch; None where all of the data trained.
        then: The same in the recipe's run; None where nothing comparable is known.
        runs: Test scores of each training; empty where the data have no test part.
        test_then: The test accuracy in the recipe's run; None where nothing comparable is known.
        expected: What the recipe expects of a training; None where it does not say, where nothing
            was scored, or where validation images trained too.
        interval: Where the mean test accuracy of the trainings is expected; None likewise.
    """

    folder: Path
    model: Path
    n_train: int
    epochs: int
    monitor: str
    n_validation: int
    validation_score: float | None
    then: float | None
    runs: tuple[SeedResult, ...]
    test_then: float | None
    expected: ExpectedScore | None
    interval: tuple[float, float] | None

    @property
    def test_accuracy(self) -> float | None:
        """Mean over the trainings; None where nothing was scored."""
        scores = [run.test.accuracy for run in self.runs]
        return sum(scores) / len(scores) if scores else None

    @property
    def is_expected(self) -> bool | None:
        """Whether that lies in the expected interval; None where one of them is not known."""
        if self.interval is None or self.test_accuracy is None:
            return None
        low, high = self.interval
        return low <= self.test_accuracy <= high


def train(options: TrainOptions, listener: Listener) -> TrainedModel:
    """Train fresh models by the recipe of a run's recommended model, or of another one's.

    Raises:
        ConfigurationError: If the recipe cannot be read, or mirrors images whose class may change
            with it; or the folder cannot be written; or nothing is there to verify.
        DataError: If the data are missing, or of other classes than the recipe's, or cannot be made
            to fit it.
        TunerError: If a training fails, or a model puts out no probabilities.
    """
    began_s = time.time()
    source = named_run(options.source, REPORTS)
    recipe, path = _recipe(source, options, listener)
    # One after the other: what a recipe imports is told before anything of it is looked for.
    for text in _notes(recipe, path):
        listener(Notice(text=text))
    code = code_changes(recipe, path)
    for text in code:
        listener(Notice(text=text))
    if options.verify and recipe.expected is None:
        raise ConfigurationError(
            f"{path}: it states no expected test score to verify",
            "leave --verify out, or give a run whose models were retrained and tested.",
        )
    if options.verify and _has_more_images(recipe, options):
        raise ConfigurationError(
            f"{path}: its expected test score is that of a training without the validation images",
            "leave --verify or --full-data out.",
        )
    check_seeds(recipe, options.training)
    # Beside model.keras, whichever of the run's recipes it is: what the run keeps stays as it was.
    place = source if source.is_dir() else source.parent
    out = options.out or place / f"trained-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    with trained_folder(out) as folder:
        dataset, changes = _loaded(recipe, path, options, listener)
        if _is_judged(recipe, options) and (code or (changes and not options.data)):
            listener(Notice(text=_WHAT_CHANGES_MEAN))
        data = training_data(dataset, options.data_dir)
        trained = train_recipe(recipe, data, dataset, options.training, folder, listener)
        write_trained(recipe, path, dataset, trained, options, folder, began_s)
    is_comparable = not changes and trained.kept.task_seed == recipe.seed
    return _outcome(recipe, dataset, trained, options, folder, is_comparable=is_comparable)


def _recipe(source: Path, options: TrainOptions, listener: Listener) -> tuple[Recipe, Path]:
    """The recipe to train by, and the file that it is from."""
    if not options.choose:
        path = recipe_path(source, options.model)
        return read_recipe(path), path
    if options.model is not None:
        raise ConfigurationError(
            f"--model {options.model} and --choose {options.choose[0].words} both name a model",
            "leave one of them out.",
        )
    recipe, path, told = chosen_recipe(source, options.choose)
    listener(Notice(text=told))
    return recipe, path


def _is_judged(recipe: Recipe, options: TrainOptions) -> bool:
    """Whether the score is compared with that of the recipe, without an error where it differs."""
    return bool(recipe.expected) and not options.verify and not _has_more_images(recipe, options)


def _has_more_images(recipe: Recipe, options: TrainOptions) -> bool:
    """Whether it trains on validation images, which the trainings of the recipe did not."""
    return options.training.full_data and recipe.data.n_validation > 0


def _notes(recipe: Recipe, path: Path) -> Iterator[str]:
    """What is told before the data are loaded."""
    members = recipe.combination.members if recipe.combination else ()
    for model in dict.fromkeys([recipe.model, *(member.model for member in members)]):
        if notice := import_notice(model):
            yield notice
    for text in recipe.origin.cut_short if recipe.origin else ():
        yield f"the recipe comes from a run that was cut short: {text}"


def _loaded(
    recipe: Recipe, path: Path, options: TrainOptions, listener: Listener
) -> tuple[Dataset, list[str]]:
    """The data with the one fold that trains, and what differs from the recipe's."""
    dataset, notes = load_fitting(recipe, path, options.data, options.data_dir, options.labels)
    for text in (*notes, *filter(None, [corrected_words(dataset)])):
        listener(Notice(text=text))
    # A recipe of a training on all images says how to train on all of them again.
    is_full = options.training.full_data or recipe.data.n_validation == 0
    fold = full_fold(recipe, dataset) if is_full else fold_of(recipe, dataset)
    same = full_fold(recipe, dataset) if recipe.data.n_validation == 0 else fold_of(recipe, dataset)
    changes = list(data_changes(recipe, path, dataset, same))
    # Other data are others by intent.
    for text in () if options.data else changes:
        listener(Notice(text=f"the data differ from those of the recipe: {text}"))
    if options.verify and not dataset.split.n_test:
        raise ConfigurationError(
            f"{dataset.card.name}: the data have no test part to verify the recipe with",
            "leave --verify out, or give data with a test part.",
        )
    # A member of an ensemble is a network for each fold, as its trial was.
    has_all = bool(recipe.combination and recipe.combination.members) and not is_full
    folds = dataset.split.folds if has_all else (fold,)
    return replace(dataset, split=replace(dataset.split, folds=folds)), changes


def _outcome(
    recipe: Recipe,
    dataset: Dataset,
    trained: TrainedByRecipe,
    options: TrainOptions,
    folder: RunFolder,
    *,
    is_comparable: bool,
) -> TrainedModel:
    fold, epoch = dataset.split.folds[0], trained.kept.kept_epoch
    runs = trained.result.runs if trained.result else ()
    has_more = _has_more_images(recipe, options)
    is_same = is_comparable and not has_more
    n_other = dataset.split.n_test if options.data else 0
    # It says nothing of a training on more images.
    expected = recipe.expected if runs and not has_more else None
    assert trained.model.file is not None
    return TrainedModel(
        folder=folder.path,
        model=trained.model.file,
        n_train=len(fold.train),
        epochs=epoch.epoch,
        monitor=recipe.monitor,
        n_validation=len(fold.validation),
        validation_score=epoch.metrics.get(recipe.monitor),
        # That of a combination is of choices which `train` does not make again.
        then=recipe.validation_score if is_same and recipe.combination is None else None,
        runs=runs,
        test_then=recipe.test_accuracy if is_same else None,
        expected=expected,
        interval=interval_of_mean(expected, len(runs), n_other) if expected else None,
    )
