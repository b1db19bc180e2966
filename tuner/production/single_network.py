"""A single network in the place of a recipe that combines predictions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tuner.models.registry import complete, schedule_for
from tuner.records.sealed_recipe import Recipe
from tuner.report.text import plural
from tuner.retrain.contenders import TUNED
from tuner.store.recipe_file import read_recipe
from tuner.store.run_folder import RunFolder


def single_network(recipe: Recipe, path: Path) -> tuple[Recipe, Path, str]:
    """The recipe of one network: the run's tuned model where a recipe combines predictions.

    Args:
        recipe: May combine members or views.
        path: Where it stands.

    Returns:
        The recipe itself if it combines nothing; else the run's tuned recipe; else, where that is
        not there, the recipe without its views, or its member with the largest share, with that
        member's epochs and schedule. Where it stands. And what was done, empty if nothing was.
    """
    combination = recipe.combination
    if combination is None:
        return recipe, path, ""
    words = f"{recipe.title or 'the recipe'} combines predictions; labels are looked for with"
    tuned = _tuned(path)
    if tuned is not None:
        found = read_recipe(tuned)
        return found, tuned, f"{words} the tuned model alone: {found.title or found.model}"
    if not combination.members:
        return replace(recipe, combination=None), path, f"{words} its network alone"
    member = max(combination.members, key=lambda one: one.share)
    title = f"{member.model} of trial {member.trial_id}"
    alone = replace(
        recipe,
        model=member.model,
        values=complete(member.model, member.values),
        seed=member.seed,
        epochs=member.epochs,
        max_epochs=member.schedule_epochs or member.epochs,
        schedule=schedule_for(member.model, "constant"),
        title=title,
        combination=None,
    )
    lasts = plural(member.epochs, "epoch")
    return alone, path, f"{words} its member with the largest share alone: {title}, {lasts}"


def _tuned(path: Path) -> Path | None:
    """The recipe of the run's tuned model; None where there is none."""
    run = path.parent.parent if path.parent.name == RunFolder(Path()).models.name else path.parent
    tuned = RunFolder(run).recipe_of(TUNED)
    return tuned if tuned.is_file() else None
