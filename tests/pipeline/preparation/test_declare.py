"""A completed space: what is said of it, what a resumed run keeps, what a changed builder is."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import yaml

from tuner.models.read_values import ReadValues
from tuner.pipeline.identity import differences
from tuner.pipeline.preparation.declare import hold, kept, resumed
from tuner.space.declared import Declaration
from tuner.space.definition import Condition, Parameter
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import parse_space
from tuner.space.sampling import has_setting, sample
from tuner.store.files.plain_yaml import plain_yaml
from tuner.store.files.reading import DamagedFileError

SPACE = "version: 1\nmodel: m:build\nspace: {batch_size: 16}\nsearch: {method: grid}\n"
KIND = Parameter(name="kind", kind="choice", choices=("a", "b"))
RATE = Parameter(
    name="rate",
    kind="float",
    low=1e-4,
    high=1e-1,
    log=True,
    conditions=(Condition(parent="kind", values=("b",)),),
)


def test_what_is_searched_as_declared_is_said_and_a_grid_needs_values() -> None:
    document = parse_document(SPACE, "own.yaml")
    found = hold(
        document, parse_space(document), Declaration(parameters=(KIND, RATE), notes=("a note",))
    )
    assert found.notes == ("a note", "searched as m:build declares it: kind, rate")
    assert [str(problem) for problem in found.problems] == [
        'model "m:build": rate may be any number from 0.0001 to 0.1, and search.method is grid\n'
        "  Fix: list values for rate in the space, or choose another method."
    ]


def test_builder_without_hyperparameters_is_one_setting() -> None:
    document = parse_document(SPACE, "own.yaml")
    found = hold(document, parse_space(document), Declaration())
    assert found.notes == (
        "m:build: no hyperparameters are searched, so the search has one setting",
    )


def test_keras_tuners_methods_need_something_to_search() -> None:
    document = parse_document(SPACE.replace("grid", "keras_tuner_random"), "own.yaml")
    file = parse_space(document)
    assert [str(problem) for problem in hold(document, file, Declaration()).problems] == [
        'model "m:build": search.method is keras_tuner_random, and no hyperparameter is searched\n'
        "  Fix: search one in the space or the builder, or choose another method."
    ]
    assert hold(document, file, Declaration(parameters=(KIND,))).problems == ()


def test_slow_builder_is_given_the_benefit_of_the_doubt() -> None:
    document = parse_document(SPACE.replace("16}", "16, units: 3}"), "own.yaml")
    found = hold(document, parse_space(document), Declaration(is_thorough=False))
    assert found.problems == ()
    assert found.notes[0] == "m:build did not read units in the settings that were tried"


def test_resumed_run_searches_the_space_that_it_began_with() -> None:
    document = parse_document(SPACE, "own.yaml")
    file = parse_space(document)
    whole = hold(document, file, Declaration(parameters=(KIND, RATE))).file
    config = yaml.safe_load(yaml.safe_dump(kept(whole)))
    assert resumed(file, config) == whole
    assert kept(replace(whole, model="cnn")) == {}
    assert resumed(file, {}) == file


def test_resumed_run_keeps_priors_and_several_ranges() -> None:
    space = """
  kind: {type: choice, values: [a, b], prior: {a: 3, b: 1}}
  rate:
    - {type: float, min: 1e-4, max: 1e-2, sampling: log, prior: 1e-3, when: {kind: a}}
    - {type: float, min: 1e-2, max: 1e-1, sampling: log, when: {kind: b}}
"""
    document = parse_document(f"version: 1\nmodel: m:build\nspace:{space}", "own.yaml")
    file = parse_space(document)
    whole = hold(document, file, Declaration(parameters=(KIND,), reads_all=True)).file
    assert [p.place for p in whole.space.parameters] == [None, 0, 1]
    config = yaml.safe_load(yaml.safe_dump(kept(whole)))
    assert resumed(file, config) == whole
    # An earlier version wrote neither.
    for parameter in config["declared"]["parameters"]:
        del parameter["prior"], parameter["place"]
    old = resumed(file, config).space.parameters
    assert [(p.name, p.prior, p.place) for p in old] == [
        (name, None, None) for name in ("kind", "rate", "rate")
    ]


@pytest.mark.parametrize(
    "damaged",
    [None, [1], {}, {"parameters": 3, "fixed": {}}, {"parameters": [{"name": "x"}], "fixed": {}}],
)
def test_damaged_space_of_an_unfinished_run_is_an_error_with_a_remedy(damaged: Any) -> None:
    file = parse_space(parse_document(SPACE, "own.yaml"))
    with pytest.raises(
        DamagedFileError, match=r"config.yaml: declared is not a space that a run wrote"
    ) as caught:
        resumed(file, {"declared": damaged})
    assert caught.value.hint == "restore the file, or start again with --fresh."


@pytest.mark.parametrize(
    "default", [np.float64(0.1), np.str_("relu"), float("inf"), float("nan"), (3, 3), None]
)
def test_default_that_the_files_of_a_run_cannot_keep_stays_with_the_builder(default: Any) -> None:
    values = ReadValues({})
    assert values.get("x", default) is default
    assert values.read == {"x"}
    assert values.defaults == {}


def test_numpy_number_that_a_builder_fixes_is_a_number_in_the_configuration() -> None:
    rate = Parameter(name="rate", kind="choice", choices=(np.float64(0.1),))
    document = parse_document(SPACE, "own.yaml")
    whole = hold(document, parse_space(document), Declaration(parameters=(rate,)))
    assert yaml.safe_load(plain_yaml(kept(whole.file)))["declared"]["fixed"] == {
        "batch_size": 16,
        "rate": 0.1,
    }


def test_resumed_run_draws_from_the_space_of_its_log() -> None:
    document = parse_document(SPACE, "own.yaml")
    file = parse_space(document)
    names = Parameter(name="names", kind="choice", choices=("yes", "1e-4", "null", "é\u2028x"))
    steps = Parameter(name="steps", kind="float", low=0.1, high=0.7, step=0.1)
    whole = hold(document, file, Declaration(parameters=(KIND, RATE, names, steps))).file
    again = resumed(file, yaml.safe_load(plain_yaml(kept(whole))))
    rng = np.random.default_rng(0)
    drawn = [sample(whole.space, rng) for _ in range(50)]
    assert all(has_setting(again.space, json.loads(json.dumps(values))) for values in drawn)
    assert not has_setting(again.space, {**drawn[0], "steps": 0.8})


def test_changed_builder_is_named_by_its_file() -> None:
    then, now = (
        {"builder": {"net.py": "0a", "parts.py": "1"}},
        {"builder": {"net.py": "0b", "parts.py": "1"}},
    )
    assert list(differences(then, now)) == ["builder.net.py changed"]
