"""The winner's setting: who chose what, and what may be pasted."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from typing import Any

import pytest
import yaml

from tests.records.test_search_summary import SEARCH
from tests.report.fixtures import page, recommending, results
from tuner.records.results import Results
from tuner.report.sections import hyperparameters
from tuner.report.snippets import as_yaml
from tuner.space.definition import Condition, Parameter


def test_a_value_that_had_no_effect_was_chosen_by_nobody() -> None:
    optimizer = Parameter(name="optimizer", kind="choice", choices=("sgd", "adam"))
    momentum = Parameter(
        name="momentum", kind="float", conditions=(Condition(parent="optimizer", values=("sgd",)),)
    )
    nesterov = Parameter(
        name="nesterov", kind="boolean", conditions=(Condition(parent="momentum", values=(0.9,)),)
    )
    on = Parameter(
        name="weight_decay",
        kind="float",
        conditions=(Condition(parent="batch_norm", values=(True,)),),
    )
    # The values are complete: what is not active has its default.
    best = {
        "filters": 8,
        "optimizer": "adam",
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 0.1,
    }
    best["batch_norm"] = True
    run = _with_best(results(), best)
    run = replace(run, search=replace(run.search, parameters=(optimizer, momentum, nesterov, on)))
    assert {one.name: one.chosen_by for one in hyperparameters.compute(run).settings} == {
        "optimizer": "search",
        "weight_decay": "search",
        "filters": "fixed",
        "momentum": "not active",
        "nesterov": "not active",
        "batch_norm": "fixed",
    }


def test_best_setting_round_trips_through_json_and_yaml() -> None:
    run = results()
    snippets = {key: code for _, key, code in hyperparameters.compute(run).snippets}
    assert json.loads(snippets["json"]) == run.search.best_values
    parsed = yaml.safe_load(as_yaml("cnn", {"no": "1e-4", "a: b": True, "rate": 0.25}))
    assert parsed == {
        "version": 1,
        "model": "cnn",
        "space": {"no": "1e-4", "a: b": True, "rate": 0.25},
    }
    assert yaml.safe_load(as_yaml("own:build", {})) == {
        "version": 1,
        "model": "own:build",
        "space": {},
    }


@pytest.mark.parametrize("name", ["flip", "imbalance"])
def test_the_python_snippet_says_what_of_the_search_it_leaves_out_and_only_then(name: str) -> None:
    on, off = {"flip": (True, False), "imbalance": ("class_weights", "none")}[name]
    run = results()
    for value, is_said in ((on, True), (off, False)):
        best = {**run.search.best_values, name: value}
        code = {
            key: code for _, key, code in hyperparameters.compute(_with_best(run, best)).snippets
        }["python"]
        ast.parse(code)
        assert ("of the search; `python -m tuner train --from` uses them\n" in code) is is_said


@pytest.mark.parametrize(
    ("use", "recipe", "option"),
    [
        (None, "best.yaml", ""),
        ("tuned", "models/tuned.yaml", ""),
        ("baseline", "models/tuned.yaml", " --model tuned"),
    ],
)
def test_the_winner_is_named_though_the_run_recommends_another_model(
    use: str | None, recipe: str, option: str
) -> None:
    run = recommending(results(), use) if use else results()
    found = hyperparameters.compute(run)
    snippets = {key: code for _, key, code in found.snippets}
    assert found.recipe == recipe
    assert f'load_recipe("{run.run.folder}/{recipe}")' in snippets["python"]
    assert snippets["shell"] == f"python -m tuner train --from {run.run.folder}{option}\n"
    assert f"<code>{recipe}</code>" in page(run)


def test_values_that_blocks_replace_are_not_active_and_what_is_off_is_named() -> None:
    blocks = {"filters_1": 64, "filters_0": 32, "kernel_size_0": 5}
    best = {
        "conv_blocks": 2,
        "filters": 32,
        "kernel_size": 3,
        "flip": False,
        "shift": 0.1,
        **blocks,
    }
    found = hyperparameters.compute(_with_best(results(), best))
    source = {one.name: one.chosen_by for one in found.settings}
    assert (source["filters"], source["kernel_size"]) == ("not active", "fixed")
    assert [name for name in source if name.startswith("filters_")] == ["filters_0", "filters_1"]
    assert found.off == ("flip",)
    assert source["shift"] == "fixed"


def test_values_of_a_starting_setting_are_named_so_but_for_those_without_effect() -> None:
    run = _with_best(results(), {"optimizer": "adamw", "momentum": 0.9, "batch_size": 32})
    run = replace(run, search=replace(run.search, best_origin="defaults"))
    source = {one.name: one.chosen_by for one in hyperparameters.compute(run).settings}
    assert source == {
        "optimizer": "starting setting",
        "momentum": "not active",
        "batch_size": "starting setting",
    }


def _with_best(run: Results, values: dict[str, Any]) -> Results:
    return replace(run, search=replace(run.search, best_values=values))


def test_the_family_is_chosen_by_the_search_and_another_familys_names_are_fixed() -> None:
    run = replace(results(), search=SEARCH)
    best = hyperparameters.compute(run)
    assert {one.name: (one.value, one.chosen_by) for one in best.settings} == {
        "model": ("efficientnet_lite0", "search"),
        "learning_rate": (0.1, "search"),
        "optimizer": ("adamw", "fixed"),
        "momentum": (0.9, "not active"),
    }
    snippets = {key: code for _, key, code in best.snippets}
    assert yaml.safe_load(snippets["yaml"])["model"] == "efficientnet_lite0"
    assert "model" not in json.loads(snippets["json"])
