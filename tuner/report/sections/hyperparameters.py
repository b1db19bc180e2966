"""Section "Best hyperparameters": the winner's setting in every form that somebody may paste."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tuner.records.results import Results
from tuner.report.reported_run import Subject
from tuner.report.snippets import python_snippet
from tuner.report.text import without_folders

RECIPE = "best.yaml"
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# What YAML takes for a truth value or for nothing.
_YAML_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One hyperparameter of the winner.

    Attributes:
        name: Its name.
        value: Its value.
        chosen_by: `search`; `fixed`, by the space or a default; or nobody: searched, but without
            effect here.
    """

    name: str
    value: Any
    chosen_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BestSetting:
    """The whole section.

    Attributes:
        trial_id: The winner's trial.
        settings: Searched ones first.
        is_folder_hidden: Whether the folders of an absolute path were left out of the snippets.
        snippets: Title, id and text of each form.
    """

    trial_id: str
    is_folder_hidden: bool
    settings: tuple[Setting, ...]
    snippets: tuple[tuple[str, str, str], ...]


def context(subject: Subject) -> dict[str, Any]:
    """What the template is given."""
    return {"best": compute(subject.results)}


def compute(results: Results) -> BestSetting:
    """The winner's setting; paths are as seen from where the run was started."""
    search = results.search
    # A choice of one value is how a space fixes what is active under a condition.
    chosen_by = dict.fromkeys(search.searched, "nobody: not active") | {
        p.name: "fixed" if len(p.choices) == 1 else "search" for p in search.chosen
    }
    settings = [
        Setting(name=n, value=v, chosen_by=chosen_by.get(n, "fixed"))
        for n, v in search.best_values.items()
    ]
    given = results.run.folder
    folder = without_folders(given)
    return BestSetting(
        trial_id=search.best_trial_id,
        settings=tuple(sorted(settings, key=lambda s: s.chosen_by != "search")),
        is_folder_hidden=folder != given,
        snippets=(
            (
                "Python, where the run was started",
                "python",
                python_snippet(f"{folder}/{RECIPE}", search.best_values),
            ),
            ("YAML, a search space", "yaml", as_yaml(search.model, search.best_values)),
            ("JSON", "json", as_json(search.best_values)),
            (
                "Command line, where the run was started",
                "shell",
                f"python -m tuner train --from {shlex.quote(folder)}\n",
            ),
        ),
    )


def as_json(values: Mapping[str, Any]) -> str:
    """Values as JSON; numbers that JSON does not know become null."""
    plain = {
        name: None if isinstance(v, float) and not math.isfinite(v) else v
        for name, v in values.items()
    }
    return json.dumps(plain, indent=2, ensure_ascii=False, default=str) + "\n"


def as_yaml(model: str, values: Mapping[str, Any]) -> str:
    """A search space that fixes these values; a scalar is a fixed value there."""
    lines = ["version: 1", f"model: {_yaml_scalar(model)}", "space:"]
    if not values:
        lines[-1] += " {}"
    for name, value in values.items():
        is_plain = _PLAIN_KEY.fullmatch(name) and name.lower() not in _YAML_WORDS
        key = name if is_plain else json.dumps(name, ensure_ascii=False)
        lines.append(f"  {key}: {_yaml_scalar(value)}")
    return "\n".join(lines) + "\n"


def _yaml_scalar(value: Any) -> str:
    # JSON is YAML; quoting every text keeps `no` and `1e-4` the texts that they are.
    return json.dumps(value, ensure_ascii=False, default=str)
