"""Models and recipes that a run keeps, each under its contender's name; one of them is model.keras.

`best.yaml` is a file of its own, since people edit recipes; the model has a second name.
"""

from __future__ import annotations

from collections.abc import Iterator

from tuner.pipeline.comparison.scoring import Scored
from tuner.pipeline.job import Job
from tuner.pipeline.outputs.sealing import recipe_header, recipe_of, recipe_of_winner
from tuner.records.sealed_recipe import Recipe
from tuner.records.search_summary import SearchSummary
from tuner.store.model_file import put_in_place
from tuner.store.recipe_file import write_recipe


def write_winner(job: Job, search: SearchSummary) -> None:
    """Write best.yaml of a run that has not compared anything yet."""
    _write_best(job, recipe_of_winner(job, search))


def write_kept(job: Job, search: SearchSummary, scored: Scored) -> None:
    """Write the recipe of each model, then model.keras and best.yaml of the recommended one."""
    found = dict(_recipes(job, search, scored))
    job.folder.models.mkdir(exist_ok=True)
    for name, recipe in found.items():
        header = recipe_header(job.folder, recipe, name)
        write_recipe(recipe, job.folder.recipe_of(name), header)
    if scored.recommendation is not None:
        name = scored.recommendation.model
        put_in_place(
            next(kept.file for kept in scored.kept if kept.contender.name == name),
            job.folder.model,
        )
        _write_best(job, found[name])


def _recipes(job: Job, search: SearchSummary, scored: Scored) -> Iterator[tuple[str, Recipe]]:
    # A winner that could not be retrained is worth another try.
    yield "tuned", recipe_of_winner(job, search)
    results = {model.name: model for model in scored.models}
    for kept in scored.kept:
        name = kept.contender.name
        yield name, recipe_of(job, search, kept, results[name])


def _write_best(job: Job, recipe: Recipe) -> None:
    header = recipe_header(job.folder, recipe)
    write_recipe(recipe, job.folder.recipe, header)
