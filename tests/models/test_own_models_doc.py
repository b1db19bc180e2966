"""The examples of docs/own_models.md, as they are printed there."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

import tuner
from tests.images import image_spec
from tuner.models.own_declaration import declared
from tuner.pipeline.preparation.declare import hold
from tuner.space.definition import Space
from tuner.space.documents.strict_yaml import load_document
from tuner.space.parsing.parse import parse_space

TEXT = (Path(tuner.__file__).parents[1] / "docs" / "own_models.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", TEXT, re.DOTALL)
SPEC = image_spec(n_classes=3)


@pytest.fixture(autouse=True)
def examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory holds them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name, text in EXAMPLES:
        (tmp_path / name).write_text(text, encoding="utf-8")


def test_hp_example_declares_its_space() -> None:
    found = declared("tuned_net:build", SPEC, Space(parameters=(), fixed={}))
    assert [parameter.name for parameter in found.parameters] == [
        "blocks", "filters_0", "use_dropout", "rate", "filters_1", "dropout",
    ]  # fmt: skip
    assert found.is_compiled


def test_hypermodel_example_gets_shape_and_classes() -> None:
    (units,) = declared("hyper_net:Net", SPEC, Space(parameters=(), fixed={})).parameters
    assert (units.name, units.low, units.high, units.step) == ("units", 8, 32, 8)


def test_values_example_fits_its_space() -> None:
    document = load_document(Path("plain_net.yaml"))
    file = parse_space(document)
    found = hold(document, file, declared(file.model, SPEC, file.space))
    assert found.problems == ()
    assert found.file.space.fixed == {"batch_size": 16, "activation": "relu"}
