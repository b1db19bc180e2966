"""The committed spaces and the JSON Schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from tuner.space.documents.strict_yaml import load_document, parse_document
from tuner.space.parsing.families import owner
from tuner.space.parsing.parse import load_space, parse_space
from tuner.space.parsing.schema import Opponent, SpaceFile, schema_text, space_json_schema
from tuner.space.sampling import sample
from tuner.space.vocabulary import (
    BACKBONE_NAMES,
    BACKBONE_TERMS,
    CNN_TERMS,
    TRAINING_TERMS,
    VOCABULARIES,
)

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "docs" / "schema" / "space.schema.json"
SPACES = sorted((ROOT / "search_spaces").glob("*.yaml"))
NAMES = {
    "cats_dogs",
    "default",
    "digits",
    "drawn_faces",
    "efficientnet_b2",
    "emoji_happy_sad",
    "facial_expressions",
    "fer2013",
    "happy_sad",
}


# Spaces of no data set in particular.
ANY = ("default", "efficientnet_b2")


def test_there_is_a_space_for_every_data_set_and_for_backbones() -> None:
    assert {path.stem for path in SPACES} == NAMES


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_a_committed_space_parses_and_names_its_data_set(path: Path) -> None:
    file = load_space(path)
    assert file.dataset == (None if path.stem in ANY else path.stem)
    sample(file.space, np.random.default_rng(0))


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_a_committed_space_sets_every_hyperparameter_of_the_network_and_gives_a_reason_for_all(
    path: Path,
) -> None:
    document = load_document(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    # Momentum is sgd's alone.
    is_cnn = owner(document.data["model"]) == "cnn"
    terms = CNN_TERMS if is_cnn else BACKBONE_TERMS
    needed = {*terms, *TRAINING_TERMS} - (
        set() if "sgd" in document.data["space"]["optimizer"] else {"momentum"}
    )
    assert needed <= set(document.data["space"])
    for name in document.data["space"]:
        # Those that follow from the line before share its reason.
        if name != "momentum" and not re.search(r"_\d$", name):
            above = lines[document.lines[("space", name)] - 2]
            assert above.strip().startswith("#"), f"{path.name}: {name} has no reason"


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_editors_find_the_schema_from_a_committed_space(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert match is not None
    assert (path.parent / match[1]).resolve() == SCHEMA.resolve()


def test_the_committed_schema_is_the_generated_one() -> None:
    command = "python -m tuner validate --schema space"
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), (
        f"write it again: {command} > {SCHEMA.name}"
    )


def test_the_schema_describes_short_forms_and_offers_the_names_of_the_family() -> None:
    schema = space_json_schema()
    forms = [
        form.get("type", "one of the long forms") for form in schema["$defs"]["Parameter"]["anyOf"]
    ]
    assert forms == ["one of the long forms", "array", ["number", "string", "boolean"], "array"]
    names = {name for terms in VOCABULARIES.values() for name in terms}
    assert set(schema["properties"]["space"]["properties"]) == names
    assert all(
        "description" in field or "$ref" in json.dumps(field)
        for field in schema["properties"].values()
    )
    assert set(schema["properties"]) == set(SpaceFile.model_fields)


def test_every_backbone_may_be_an_opponent() -> None:
    assert get_args(Opponent)[4:] == BACKBONE_NAMES


def test_the_readme_example_parses() -> None:
    text = (ROOT / "search_spaces" / "README.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    assert example is not None
    assert parse_space(parse_document(example[1], "README.md")).space.parameters
