"""Which of a run's models a command line names, and the recipe that reads its images."""

from __future__ import annotations

from pathlib import Path

from tuner.production.recipes import model_names, recipe_path
from tuner.store.model_file import model_file


def chosen_model(run: Path, model: str | None) -> tuple[Path, Path]:
    """The recipe that reads the images, and the file of the model that predicts.

    Args:
        run: A run's folder, or a recipe in one.
        model: Name of one of the run's models, or a .keras file; None takes the recommended one.

    Raises:
        ConfigurationError: If there is no recipe, or no such model.
    """
    best = recipe_path(run)
    names = model_names(best)
    if model is not None and model not in names and (not names or _is_file(model)):
        return best, Path(model)
    recipe = recipe_path(run, model)
    own = model_file(recipe.with_suffix(".keras"))
    return recipe, own if own.is_file() else model_file(recipe.with_name("model.keras"))


def _is_file(model: str) -> bool:
    """Whether it must be meant for a file, there or not, and for no name."""
    path = Path(model)
    return path.suffix != "" or len(path.parts) > 1 or path.is_file()
