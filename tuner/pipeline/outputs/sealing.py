"""The recipes of a run: its models, sealed with the data and versions that they were made with."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tuner.data.cards.card import Card
from tuner.data.splits.fold import drawn_fold, fold_of_seed
from tuner.execution.seeds import RETRAININGS, task_seed
from tuner.pipeline.comparison.scoring import KeptFile
from tuner.pipeline.job import Job
from tuner.pipeline.preparation.configuration import split_settings
from tuner.pipeline.presets import PRESETS
from tuner.pipeline.versions import versions
from tuner.records.contender import Contender
from tuner.records.results import ModelResult
from tuner.records.sealed_recipe import Recipe, RecipeData
from tuner.records.search_summary import SearchSummary
from tuner.report.snippets import python_snippet
from tuner.retrain.contenders import tuned_contenders
from tuner.store.run_folder import RunFolder


def recipe_of_winner(job: Job, search: SearchSummary) -> Recipe:
    """Seal the winner of a search that was not retrained, by the rules that it would have had."""
    schedule = PRESETS[job.options.preset].schedule
    (winner,) = tuned_contenders(job.file, [(search.winner_model, search.best_values)], schedule)
    return _recipe(job, winner, seed=job.options.seed)


def recipe_of(job: Job, kept: KeptFile, result: ModelResult) -> Recipe:
    """Seal a model of the comparison.

    Args:
        job: The run.
        kept: The saved model.
        result: What the test images say of its retrainings.
    """
    training, monitor = kept.training, kept.contender.early_stopping.monitor
    best = next(e for e in training.result.epochs if e.epoch == training.result.best_epoch)
    tested = next((run for run in result.runs if run.seed == training.seed), None)
    return replace(
        _recipe(job, kept.contender, training.seed, training.task_seed),
        epochs=best.epoch,
        validation_score=best.metrics[monitor],
        test_accuracy=tested.test.accuracy if tested else None,
        temperature=kept.temperature,
    )


def _recipe(job: Job, contender: Contender, number: int = 0, seed: int = 0) -> Recipe:
    """The recipe of a contender's retraining, by its number, before it is trained."""
    split, rule = job.dataset.split, contender.early_stopping
    fold_number = fold_of_seed(number, len(split.folds))
    draw_seed = task_seed(job.options.seed, RETRAININGS, 0)
    fold = drawn_fold(split.folds[fold_number], contender.max_train_images, draw_seed)
    is_drawn = contender.max_train_images is not None
    return Recipe(
        model=contender.model,
        values=contender.values,
        image=job.dataset.spec,
        data=RecipeData(
            name=job.options.dataset,
            fingerprint=job.dataset.images.fingerprint,
            n_train=len(fold.train),
            n_validation=len(fold.validation),
            n_test=split.n_test,
            split=split_settings(job.options, job.file),
            fold=fold_number,
            background=background(job.card),
            value_range=job.dataset.images.value_range,
            max_train_images=contender.max_train_images,
            draw_seed=draw_seed if is_drawn else 0,
        ),
        seed=seed,
        max_epochs=contender.max_epochs,
        patience=rule.patience,
        schedule=contender.schedule,
        monitor=rule.monitor,
        direction=rule.direction,
        epochs=contender.max_epochs,
        validation_score=None,
        test_accuracy=None,
        versions=versions(),
        precision=job.precision,
        title=contender.title,
        stop_metric=rule.stop_metric,
        stop_value=rule.stop_value,
        keeps_best=rule.keeps_best,
    )


def background(card: Card) -> tuple[int, int, int]:
    """The colour that a card puts under transparent pixels."""
    red, green, blue = card.image.background
    return red, green, blue


def recipe_header(
    folder: RunFolder, values: Mapping[str, Any], title: str, name: str | None = None
) -> str:
    """The comment above a recipe: what it is, and how to use it.

    Args:
        folder: The run's.
        values: The recipe's hyperparameters.
        title: What the run calls the model.
        name: The contender's; None in best.yaml.
    """
    file = folder.recipe_of(name) if name else folder.recipe
    run = shlex.quote(folder.path.as_posix()) + (f" --model {name}" if name else "")
    return (
        f"A model of a run ({title}), sealed with the data and versions that it was made with.\n"
        f"Train it again:  python -m tuner train --from {run}\n"
        "In your own script, with `images` (n, height, width, channels) of 0-255 and class numbers"
        " `labels` (n,):\n\n" + python_snippet(file.name, values)
    )
