"""The recipe of a run: its winner, sealed with the data and versions that it was found with."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from tuner.data.cards.card import Card
from tuner.data.splits.fold import fold_of_seed
from tuner.models.registry import schedule_for
from tuner.pipeline.job import Job
from tuner.pipeline.preparation.configuration import split_settings
from tuner.pipeline.presets import PRESETS
from tuner.records.contender import Trained
from tuner.records.results import Results
from tuner.records.sealed_recipe import Recipe, RecipeData
from tuner.report.snippets import python_snippet
from tuner.store.run_folder import RunFolder


def recipe_of(job: Job, results: Results, tuned: Sequence[Trained]) -> Recipe:
    """Seal the winner.

    Args:
        job: The run.
        results: Its numbers.
        tuned: The winner's retrainings: the one that validated best is sealed. Empty after
            `--search-only`.
    """
    split, search, file = job.dataset.split, results.search, job.file
    runs = results.models[0].runs if results.models else ()
    best = next((run for run in runs if run.is_kept), None)
    number = fold_of_seed(best.seed, len(split.folds)) if best else 0
    fold = split.folds[number]
    return Recipe(
        model=search.winner_model,
        values=search.best_values,
        image=job.dataset.spec,
        data=RecipeData(
            name=job.options.dataset,
            fingerprint=job.dataset.images.fingerprint,
            n_train=len(fold.train),
            n_validation=len(fold.validation),
            n_test=split.n_test,
            split=split_settings(job.options, file),
            fold=number,
            background=background(job.card),
            value_range=job.dataset.images.value_range,
        ),
        seed=next(t.task_seed for t in tuned if t.seed == best.seed) if best else job.options.seed,
        max_epochs=file.retrain.epochs,
        patience=file.retrain.patience,
        schedule=schedule_for(search.winner_model, PRESETS[job.options.preset].schedule),
        monitor=file.objective.name,
        direction=file.objective.direction,
        epochs=best.best_epoch if best else file.retrain.epochs,
        validation_score=best.validation_score if best else None,
        test_accuracy=best.test.accuracy if best else None,
        versions=results.run.versions,
        temperature=results.temperature.value if results.temperature else None,
        precision=job.precision,
    )


def background(card: Card) -> tuple[int, int, int]:
    """The colour that a card puts under transparent pixels."""
    red, green, blue = card.image.background
    return red, green, blue


def recipe_header(folder: RunFolder, values: Mapping[str, Any]) -> str:
    """The comment above a recipe: how to use it."""
    return (
        "The best hyperparameters of a run, sealed with the data and versions that they were found"
        " with.\nTrain them again:  python -m tuner train --from"
        f" {shlex.quote(folder.path.as_posix())}\nIn your own script, with `images` (n, height,"
        " width, channels) of 0-255 and class numbers `labels` (n,):\n\n"
        + python_snippet("best.yaml", values)
    )
