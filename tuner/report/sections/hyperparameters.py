"""Section "Best hyperparameters": the winner's setting in every form that you may paste."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any, Literal

from tuner.records.results import Results
from tuner.report.facts import in_block_order, recipe_file, recipe_option, without_effect
from tuner.report.reported_run import ReportedRun
from tuner.report.snippets import as_json, as_yaml, python_snippet
from tuner.report.text import without_folders
from tuner.space.definition import by_name
from tuner.space.vocabulary import AUGMENTATION_TERMS

ChosenBy = Literal["search", "starting setting", "fixed", "not active"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One hyperparameter of the winner.

    Attributes:
        name: Its name.
        value: Its value.
        chosen_by: `search`; `starting setting`; `fixed`, by the space or a default; or
            `not active`: without effect here.
    """

    name: str
    value: Any
    chosen_by: ChosenBy


@dataclass(frozen=True, slots=True, kw_only=True)
class BestSetting:
    """The whole section.

    Attributes:
        trial_id: The winner's trial.
        recipe: The file that holds it, as seen from the run's folder.
        settings: Searched ones first, without those of `off`.
        off: Names of the fixed augmentations that are switched off.
        is_folder_hidden: Whether the folders of an absolute path were left out of the snippets.
        snippets: Title, id and text of each form.
    """

    trial_id: str
    recipe: str
    is_folder_hidden: bool
    settings: tuple[Setting, ...]
    off: tuple[str, ...]
    snippets: tuple[tuple[str, str, str], ...]


def context(reported: ReportedRun) -> dict[str, Any]:
    """What the template is given."""
    return {"best": compute(reported.results)}


def compute(results: Results) -> BestSetting:
    """The winner's setting; paths are as seen from where the run was started."""
    search = results.search
    # A choice of one value is how a space fixes what is active under a condition.
    is_start = bool(search.best_origin)
    otherwise: ChosenBy = "starting setting" if is_start else "fixed"
    searched = () if is_start else by_name(search.of_winner)
    chosen_by: dict[str, ChosenBy] = dict.fromkeys(searched, "not active")
    for parameter in search.chosen:
        chosen_by[parameter.name] = "fixed" if len(parameter.choices) == 1 else "search"
    values = search.best_setting
    chosen_by |= dict.fromkeys(without_effect(search.winner_model, values), "not active")
    settings = [
        Setting(name=n, value=values[n], chosen_by=chosen_by.get(n, otherwise))
        for n in in_block_order(list(values))
    ]
    off = [one for one in settings if one.chosen_by == "fixed" and _is_off(one)]
    given = results.run.folder
    folder = without_folders(given)
    recipe = recipe_file(results, "tuned")
    return BestSetting(
        trial_id=search.best_trial_id,
        recipe=recipe,
        settings=tuple(
            sorted((s for s in settings if s not in off), key=lambda s: s.chosen_by != "search")
        ),
        off=tuple(one.name for one in off),
        is_folder_hidden=folder != given,
        snippets=(
            (
                "Python",
                "python",
                python_snippet(f"{folder}/{recipe}", search.best_values),
            ),
            ("YAML search space", "yaml", as_yaml(search.winner_model, search.best_values)),
            ("JSON", "json", as_json(search.best_values)),
            (
                "Command line",
                "shell",
                f"python -m tuner train --from {shlex.quote(folder)}"
                f"{recipe_option(results, 'tuned')}\n",
            ),
        ),
    )


def _is_off(setting: Setting) -> bool:
    term = AUGMENTATION_TERMS.get(setting.name)
    return term is not None and setting.value == term.default
