"""The recipes of a run: its models, sealed with the data and versions that they were made with."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tuner.data.cards.card import Card
from tuner.data.splits.fold import Fold, drawn_fold, fold_of_seed
from tuner.data.splits.split import Split
from tuner.execution.seeds import RETRAININGS, task_seed
from tuner.metrics.expected_score import expected_score
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.weights import pretrained_digest
from tuner.models.source import source_digests
from tuner.names import is_own
from tuner.pipeline.comparison.kept_file import KeptFile
from tuner.pipeline.job import Job
from tuner.pipeline.preparation.configuration import split_settings
from tuner.pipeline.presets import PRESETS
from tuner.pipeline.versions import versions
from tuner.records.combination import Combination
from tuner.records.contender import Contender
from tuner.records.results import ModelResult
from tuner.records.sealed_recipe import Recipe, RecipeData, RecipeOrigin
from tuner.records.search_summary import SearchSummary
from tuner.records.training import TrainResult
from tuner.report.snippets import python_snippet
from tuner.report.text import duration, plural
from tuner.retrain.contenders import tuned_contenders
from tuner.space.families import Built
from tuner.store.run_folder import RunFolder


def recipe_of_winner(job: Job, search: SearchSummary) -> Recipe:
    """Seal the winner of a search that was not retrained, by the rules that it would have had."""
    schedule = PRESETS[job.options.preset].schedule
    (winner,) = tuned_contenders(job.file, [(search.winner_model, search.best_values)], schedule)
    return _recipe(job, search, winner, seed=job.options.seed)


def recipe_of(job: Job, search: SearchSummary, kept: KeptFile, result: ModelResult) -> Recipe:
    """Seal a model of the comparison.

    Args:
        job: The run.
        search: What it has found.
        kept: The saved model.
        result: What the test images say of its retrainings.
    """
    seed = kept.training.seed if kept.training else 0
    tested = next((run.test.accuracy for run in result.runs if run.seed == seed), None)
    accuracies = [run.test.accuracy for run in result.runs]
    sealed = replace(
        _sealed_training(job, search, kept),
        test_accuracy=tested,
        temperature=kept.temperature,
        expected=expected_score(accuracies, result.runs[0].test.n) if accuracies else None,
    )
    if kept.combination is None:
        return sealed
    return replace(sealed, combination=kept.combination, validation_score=kept.validation_score)


def _sealed_training(job: Job, search: SearchSummary, kept: KeptFile) -> Recipe:
    training = kept.training
    if training is None:
        seed, combination = job.options.seed, kept.combination
        sealed = _recipe(job, search, kept.contender, seed=seed, combination=combination)
        assert sealed.origin is not None
        # Its members were trained by the search.
        epochs = kept.contender.max_epochs
        cut = tuple(_cut_short(job, search, epochs, None, is_trained=True))
        return replace(sealed, origin=replace(sealed.origin, cut_short=cut))
    best, monitor = training.kept_epoch, kept.contender.early_stopping.monitor
    return replace(
        _recipe(job, search, kept.contender, training.seed, training.task_seed, training.result),
        epochs=best.epoch,
        validation_score=best.metrics[monitor],
    )


def _recipe(
    job: Job,
    search: SearchSummary,
    contender: Contender,
    number: int = 0,
    seed: int = 0,
    result: TrainResult | None = None,
    combination: Combination | None = None,
) -> Recipe:
    """The recipe of a contender's retraining, by its number, with what came of it if it is over."""
    rule = contender.early_stopping
    networks = networks_of(contender.model, contender.values, combination)
    return Recipe(
        model=contender.model,
        values=contender.values,
        image=job.dataset.spec,
        data=_data(job, contender, number),
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
        builder=builder_digests(networks),
        weights_digest=digest_of_weights(networks),
        origin=_origin(job, search, contender, result),
    )


def _data(job: Job, contender: Contender, number: int) -> RecipeData:
    """What a contender's retraining sees, by its number: its fold, and what is drawn of that."""
    split = job.dataset.split
    fold_number = fold_of_seed(number, len(split.folds))
    draw_seed = task_seed(job.options.seed, RETRAININGS, 0)
    fold = drawn_fold(split.folds[fold_number], contender.max_train_images, draw_seed)
    is_drawn = contender.max_train_images is not None
    return RecipeData(
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
        split_digest=split_digest(fold, split),
        test_digest=split.test_digest,
        labels=job.options.labels.as_posix() if job.options.labels else None,
    )


def _origin(
    job: Job, search: SearchSummary, contender: Contender, result: TrainResult | None
) -> RecipeOrigin:
    """The run that a recipe comes from, and what of it was cut short."""
    return RecipeOrigin(
        run=job.folder.path.name,
        command=job.options.command,
        preset=job.options.preset,
        seed=job.options.seed,
        objective=search.objective,
        method=search.method,
        n_trials=search.n_trials,
        n_epochs=search.n_epochs,
        time_budget_s=job.options.time_budget_s,
        cut_short=tuple(_cut_short(job, search, contender.max_epochs, result)),
    )


def split_digest(fold: Fold, split: Split) -> str:
    """A hash of which images train, validate and test, by their numbers."""
    rows = (fold.train, fold.validation, split.test)
    digests = (hashlib.sha256(np.asarray(part, dtype="<i8").tobytes()).digest() for part in rows)
    return hashlib.sha256(b"".join(digests)).hexdigest()


def networks_of(
    model: str, values: Mapping[str, Any], combination: Combination | None = None
) -> tuple[Built, ...]:
    """What is built of a recipe: the members of an ensemble, else the one network."""
    members = combination.members if combination else ()
    return tuple((one.model, one.values) for one in members) or ((model, values),)


def builder_digests(networks: Sequence[Built]) -> dict[str, str]:
    """A hash of each source file of builders of your own; empty for models of tuner."""
    own = dict.fromkeys(model for model, _ in networks if is_own(model))
    return {path: digest for model in own for path, digest in source_digests(model).items()}


def digest_of_weights(networks: Sequence[Built]) -> str | None:
    """What changes exactly when any pretrained weights do.

    None where there are none, or some were not downloaded to this machine.
    """
    stated = [(model, values.get("weights", "none")) for model, values in networks]
    pairs = dict.fromkeys(p for p in stated if p[0] in BACKBONES and p[1] != "none")
    found = [pretrained_digest(*pair) for pair in pairs]
    return _joined([digest for digest in found if digest]) if all(found) else None


def _joined(digests: Sequence[str]) -> str | None:
    # That of one network is as versions before wrote it.
    if len(digests) < 2:
        return digests[0] if digests else None
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _cut_short(
    job: Job,
    search: SearchSummary,
    epochs: int,
    result: TrainResult | None,
    *,
    is_trained: bool = False,
) -> Iterator[str]:
    """What a run has left out, in a sentence each.

    Args:
        job: The run.
        search: What it has found.
        epochs: Most that a training of the model had.
        result: What came of the retraining; None where there was none.
        is_trained: Whether the model needed none.
    """
    budget_s, sizes = job.options.time_budget_s, job.sizes
    trials = f"{search.n_trials:,} of {plural(search.n_planned, 'trial')}"
    if job.request.reason:
        yield f"the run was {job.request.reason} after {trials}"
    elif result is None and not is_trained and not job.options.search_only:
        yield f"the model had not been retrained when this was written, after {trials}"
    if budget_s is None:
        return
    budget = f"the time budget of {duration(budget_s)}"
    if search.n_stopped or search.n_trials < search.n_planned:
        yield f"{budget} ended the search after {trials}"
    if sizes and not is_trained and epochs < sizes.most_epochs:
        most = plural(sizes.most_epochs, "epoch")
        yield f"{budget} left a training at most {epochs} of {most}"
    if result and result.ended_by == "deadline":
        yield f"{budget} ended the training after {plural(len(result.epochs), 'epoch')}"


def background(card: Card) -> tuple[int, int, int]:
    """The colour that a card puts under transparent pixels."""
    red, green, blue = card.image.background
    return red, green, blue


def recipe_header(folder: RunFolder, recipe: Recipe, name: str | None = None) -> str:
    """The comment above a recipe: what it is, and how to use it.

    Args:
        folder: The run's.
        recipe: What stands below.
        name: The contender's; None in best.yaml.
    """
    file = folder.recipe_of(name) if name else folder.recipe
    run = shlex.quote(folder.path.as_posix()) + (f" --model {name}" if name else "")
    cut = recipe.origin.cut_short if recipe.origin else ()
    return "\n".join(
        [
            f"A model of a run ({recipe.title}), sealed with the data and versions that it was made"
            " with.",
            f"Epochs: {_epochs_rule(recipe)}.",
            *(f"Cut short: {text}." for text in cut),
            f"Train it again:  python -m tuner train --from {run}",
            *_in_a_script(recipe, file.name),
        ]
    )


def _in_a_script(recipe: Recipe, file: str) -> Iterator[str]:
    if recipe.combination is not None:
        # What it combines is in its file; a script that trains it would be a search's end anew.
        yield "It combines predictions. Its file holds it as one model of Keras' own layers."
        return
    yield (
        "In your own script, with `images` (n, height, width, channels) of 0-255 and class"
        " numbers `labels` (n,):"
    )
    yield ""
    yield python_snippet(file, recipe.values)


def _epochs_rule(recipe: Recipe) -> str:
    """How the number of epochs was chosen."""
    limit = f"of at most {recipe.max_epochs}"
    if recipe.validation_score is None:
        return f"{recipe.epochs} {limit}; the model has not been retrained"
    kept = f"the best {recipe.monitor}" if recipe.keeps_best else "the last one"
    ends = [f"{recipe.patience} without improvement" if recipe.patience else ""]
    ends += [f"{recipe.stop_metric} at {recipe.stop_value:g}" if recipe.stop_metric else ""]
    ended = " or ".join(filter(None, ends))
    return f"{recipe.epochs} {limit}, {kept}{f'; training ends after {ended}' if ended else ''}"
