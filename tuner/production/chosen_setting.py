"""The recipe of a setting that `train --choose` takes from the trials of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tuner.errors import ConfigurationError
from tuner.metrics.score_text import score_text
from tuner.metrics.trade_offs import chosen, none_chosen
from tuner.models.registry import complete, schedule_for
from tuner.pipeline.outputs.sealing import builder_digests, digest_of_weights
from tuner.pipeline.outputs.searched_space import searched_space
from tuner.pipeline.preparation.declare import resumed
from tuner.pipeline.presets import PRESETS
from tuner.records.sealed_recipe import Recipe
from tuner.records.search_summary import SearchSummary
from tuner.records.trial import Trial
from tuner.retrain.contenders import TUNED
from tuner.space.costs import Limit
from tuner.space.definition import Objective
from tuner.space.families import Built, built
from tuner.store.recipe_file import read_recipe
from tuner.store.run_folder import RunFolder
from tuner.store.trial_tables import TrialTables


def chosen_recipe(run: Path, limits: Sequence[Limit]) -> tuple[Recipe, Path, str]:
    """The recipe of the best setting that keeps some limits, by the rules of the run's winner.

    Args:
        run: The run's folder.
        limits: What its model may take at most.

    Returns:
        The recipe, the file of the winner's, and what was chosen, in a line.

    Raises:
        ConfigurationError: If there is no run that has measured its models, its files are damaged,
            or no setting keeps the limits.
    """
    folder = RunFolder(run)
    if not run.is_dir():
        raise ConfigurationError(
            f"{run}: --choose needs the trials of a run, not a recipe alone",
            "give the folder of the run.",
        )
    search = folder.read_results().search
    if not search.objectives:
        raise ConfigurationError(
            f"{run}: the costs of its models were not measured, since its space has one objective",
            f"run again with --set 'objectives=[{search.objective}, {limits[0].name}]'.",
        )
    trials = TrialTables(run, search.searched).read()
    objective = Objective(name=search.objective, direction=search.direction)
    trial = chosen(trials, objective, limits)
    if trial is None:
        remedy = "raise the limit, or search a space of smaller models."
        raise none_chosen(trials, objective, limits, remedy)
    # A chosen setting is trained by the winner's rules.
    path = folder.recipe_of(TUNED)
    path = path if path.is_file() else folder.recipe
    recipe = read_recipe(path)
    words = ", ".join(limit.words for limit in limits)
    score = score_text(trial.score, search.objective, 2)
    told = f"chosen by {words}: trial {trial.trial_id}, {search.objective} {score}"
    if trial.trial_id == search.best_trial_id:
        return recipe, path, f"{told}, the winner of the search"
    return _of_setting(recipe, _built(folder, trial, search), f"Chosen ({words})"), path, told


def _built(folder: RunFolder, trial: Trial, search: SearchSummary) -> Built:
    """What a trial builds; the table has the searched hyperparameters only.

    Raises:
        ConfigurationError: If the run's files do not have the others.
    """
    whole = next((t for t in folder.events.ended_trials() if t.trial_id == trial.trial_id), None)
    if whole is None and trial.model is not None:
        raise ConfigurationError(
            f"{folder.path}/events.jsonl: does not have trial {trial.trial_id}",
            "restore the file from a copy, or choose another setting.",
        )
    config = folder.read_config()
    file = resumed(searched_space(folder), config, f"{folder.path}/config.yaml")
    fixed = {} if trial.model is not None or search.families else file.space.fixed
    return built(file, {**fixed, **(whole or trial).values}, trial.model)


def _of_setting(recipe: Recipe, setting: Built, title: str) -> Recipe:
    """The same recipe for another setting, of which nothing has been retrained yet."""
    model, stated = setting
    values = complete(model, stated)
    schedule = PRESETS[recipe.origin.preset].schedule if recipe.origin else recipe.schedule
    return replace(
        recipe,
        model=model,
        values=values,
        title=title,
        schedule=schedule_for(model, schedule),
        epochs=recipe.max_epochs,
        validation_score=None,
        test_accuracy=None,
        temperature=None,
        expected=None,
        builder=builder_digests([(model, values)]),
        weights_digest=digest_of_weights([(model, values)]),
    )
