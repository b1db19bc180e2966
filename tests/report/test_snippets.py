"""A setting as Python, YAML and JSON."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest

from tuner.models.registry import complete
from tuner.report.snippets import as_json, as_yaml, python_snippet
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import load_space, parse_space
from tuner.space.sampling import sample

SPACES = sorted((Path(__file__).parents[2] / "search_spaces").glob("*.yaml"))


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_the_yaml_of_a_setting_is_a_space_that_fixes_it(path: Path) -> None:
    file = load_space(path)
    for seed in range(5):
        values = complete(file.model, sample(file.space, np.random.default_rng(seed)))
        pasted = parse_space(parse_document(as_yaml(file.model, values), "pasted.yaml"))
        assert pasted.model == file.model
        assert complete(file.model, sample(pasted.space, np.random.default_rng(0))) == values


def test_json_writes_numbers_that_it_does_not_know_as_null() -> None:
    assert json.loads(as_json({"rate": float("nan"), "units": 3})) == {
        "rate": None,
        "units": 3,
    }


@pytest.mark.parametrize("path", ["best.yaml", 'a "quoted" \\ path.yaml', "ключ 😀.yaml"])
def test_the_python_snippet_parses_and_names_the_recipe(path: str) -> None:
    tree = ast.parse(python_snippet(path, {}))
    assert path in [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
