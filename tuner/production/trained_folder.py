"""The folder that `train` writes: like a run's, so that `predict`, `report` and `train` take it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tuner.data.dataset import Dataset, summary
from tuner.errors import ConfigurationError
from tuner.metrics.expected_score import expected_score
from tuner.pipeline.outputs.hardware import hardware
from tuner.pipeline.outputs.sealing import (
    background,
    builder_digests,
    digest_of_weights,
    networks_of,
    recipe_header,
    split_digest,
)
from tuner.pipeline.versions import versions
from tuner.production.fitting import labels_asked, split_asked
from tuner.production.one_training import TrainedByRecipe
from tuner.production.train_options import TrainOptions
from tuner.records.results import Results, RunSummary
from tuner.records.sealed_recipe import Recipe, RecipeOrigin
from tuner.records.search_summary import SearchSummary
from tuner.store.files.leftovers import is_half_written
from tuner.store.model_file import weights_file
from tuner.store.recipe_file import write_recipe
from tuner.store.run_folder import RunFolder

# In the place of a search method.
NO_SEARCH = "none"


@contextmanager
def trained_folder(path: Path) -> Iterator[RunFolder]:
    """A folder to train in, which must be new or empty; one of a killed training is taken over.

    Raises:
        ConfigurationError: If it cannot be written, or holds something else.
    """
    if path.suffix == ".keras":
        raise ConfigurationError(
            f"{path}: train writes a folder, with model.keras, best.yaml and report.html",
            f"name a folder, such as {path.with_suffix('')}.",
        )
    folder = RunFolder(path)
    try:
        if path.exists() and any(path.iterdir()) and not _is_left_behind(folder):
            raise ConfigurationError(
                f"{path}: already holds files; they are not replaced", "name another folder."
            )
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be written: {error.strerror}", "choose another folder."
        ) from error
    folder.create()
    try:
        with folder.locked():
            # Another command may have trained on other data.
            for checkpoint in folder.state.glob("*.npz"):
                checkpoint.unlink()
            try:
                yield folder
            finally:
                folder.finish()
    finally:
        # Of a training that failed.
        with suppress(OSError):
            path.rmdir()


def _is_left_behind(folder: RunFolder) -> bool:
    """Whether a killed training has left a folder, and nothing else lies in it."""
    own = {folder.state, folder.recipe, folder.model, weights_file(folder.model)}
    own.add(folder.path / ".lock")
    return (folder.state / "open").is_file() and all(
        path in own or is_half_written(path) for path in folder.path.iterdir()
    )


def write_trained(
    recipe: Recipe,
    recipe_file: Path,
    dataset: Dataset,
    trained: TrainedByRecipe,
    options: TrainOptions,
    folder: RunFolder,
    began_s: float,
) -> None:
    """Write the recipe of what was trained, and where it was scored its numbers and page.

    Args:
        recipe: By which it was trained.
        recipe_file: Where that stands.
        dataset: The data, with the fold that trained.
        trained: What came of it.
        options: What was asked for.
        folder: Where it goes.
        began_s: Unix time in seconds at which the command began.
    """
    sealed = _sealed(recipe, dataset, trained, options, folder)
    write_recipe(sealed, folder.recipe, recipe_header(folder, sealed))
    if trained.result is None:
        return
    from tuner.pipeline.outputs.run_page import rebuild

    folder.write_results(
        Results(
            run=RunSummary(
                run_id=folder.path.name,
                folder=folder.path.as_posix(),
                state="complete",
                preset=recipe.origin.preset if recipe.origin else "standard",
                seed=_seed(recipe, options),
                started_at=f"{datetime.fromtimestamp(began_s, UTC):%Y-%m-%dT%H:%M:%SZ}",
                duration_s=time.time() - began_s,
                command=options.command,
                versions=sealed.versions,
                hardware=hardware("inline", 1, recipe.precision)
                | {"threads": str(options.training.threads)},
                recipe=recipe_file.as_posix(),
            ),
            data=summary(dataset),
            search=_no_search(recipe, trained),
            models=(trained.result,),
        )
    )
    rebuild(folder)


def _sealed(
    recipe: Recipe,
    dataset: Dataset,
    trained: TrainedByRecipe,
    options: TrainOptions,
    folder: RunFolder,
) -> Recipe:
    """The recipe of what was trained."""
    split, fold, kept = dataset.split, dataset.split.folds[0], trained.kept
    runs = trained.result.runs if trained.result else ()
    accuracies = [run.test.accuracy for run in runs]
    labels = labels_asked(recipe, options.data, options.labels)
    networks = networks_of(recipe.model, recipe.values, trained.combination)
    return replace(
        recipe,
        image=dataset.spec,
        data=replace(
            recipe.data,
            name=options.data or recipe.data.name,
            fingerprint=dataset.images.fingerprint,
            n_train=len(fold.train),
            n_validation=len(fold.validation),
            n_test=split.n_test,
            split=split_asked(recipe, options.data),
            background=background(dataset.card),
            max_train_images=recipe.data.max_train_images if len(fold.validation) else None,
            split_digest=split_digest(fold, split),
            labels=labels.as_posix() if labels else None,
        ),
        seed=kept.task_seed,
        epochs=kept.kept_epoch.epoch,
        validation_score=kept.kept_epoch.metrics.get(recipe.monitor),
        test_accuracy=next((run.test.accuracy for run in runs if run.is_kept), None),
        temperature=trained.model.temperature.value if trained.model.temperature else None,
        versions=versions(),
        expected=expected_score(accuracies, split.n_test) if accuracies else None,
        builder=builder_digests(networks),
        weights_digest=digest_of_weights(networks),
        # The search that found the values is the same; results.json has this command.
        origin=recipe.origin or _own_origin(recipe, options, folder),
        combination=trained.combination,
    )


def _own_origin(recipe: Recipe, options: TrainOptions, folder: RunFolder) -> RecipeOrigin:
    """This training, where an earlier version has not written which run the recipe is of."""
    return RecipeOrigin(
        run=folder.path.name,
        command=options.command,
        preset="standard",
        seed=_seed(recipe, options),
        objective=recipe.monitor,
        method=NO_SEARCH,
        n_trials=0,
        n_epochs=0,
        time_budget_s=None,
    )


def _seed(recipe: Recipe, options: TrainOptions) -> int:
    return recipe.seed if options.training.seed is None else options.training.seed


def _no_search(recipe: Recipe, trained: TrainedByRecipe) -> SearchSummary:
    """What results.json says of the search that there was not."""
    return SearchSummary(
        model=recipe.model,
        method=NO_SEARCH,
        method_words="nothing was searched",
        max_epochs=recipe.max_epochs,
        factor=1,
        iterations=0,
        objective=recipe.monitor,
        direction=recipe.direction,
        n_trials=0,
        n_failed=0,
        n_rejected=0,
        n_epochs=0,
        duration_s=0.0,
        best_trial_id="",
        best_score=trained.kept.kept_epoch.metrics.get(recipe.monitor, math.nan),
        best_values=recipe.values,
        parameters=(),
        n_planned=0,
    )
