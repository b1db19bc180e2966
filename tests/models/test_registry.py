"""Models by name: built-in families and people's own builders."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import pytest

from tests.images import image_spec
from tuner.errors import ConfigurationError
from tuner.models.backbones.stages import HEAD
from tuner.models.own_builder import own_builder
from tuner.models.registry import BUILDERS, build, complete, load_builder
from tuner.space.vocabulary import BACKBONE_NAMES, BASELINE_NAMES, VOCABULARIES
from tuner.training.compiled import compiled_model

SPEC = image_spec()


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory; what it adds to the import path goes away with it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.mark.parametrize("name", BUILDERS)
def test_every_name_leads_to_a_function(name: str) -> None:
    assert callable(load_builder(name))


def test_unknown_model_offers_the_nearest_name() -> None:
    with pytest.raises(ConfigurationError, match='there is no model "expresion_cnn"') as caught:
        load_builder("expresion_cnn")
    assert "expression_cnn" in caught.value.hint


def test_missing_module_is_named() -> None:
    with pytest.raises(
        ConfigurationError, match=r'model "no_such_package.models:build": there is no module'
    ) as caught:
        build("no_such_package.models:build", {}, SPEC)
    assert caught.value.hint == "run in the folder that holds it, or install its package."


def test_missing_function_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"tests\.models\.builders has no function buidl"):
        build("tests.models.builders:buidl", {}, SPEC)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("import no_such_library", ModuleNotFoundError),
        ("import keras; keras.nothing", AttributeError),
    ],
)
def test_mistake_inside_an_own_module_is_not_taken_for_a_missing_one(
    own_folder: Path, line: str, error: type[Exception]
) -> None:
    name = f"own_{error.__name__.lower()}"
    (own_folder / f"{name}.py").write_text(line + "\n")
    with pytest.raises(error, match=r"no_such_library|nothing"):
        build(f"{name}:build", {}, SPEC)


def test_builder_in_the_working_directory_is_found(own_folder: Path) -> None:
    (own_folder / "own_model_here.py").write_text(
        "def build(values, image_spec):\n    return None\n"
    )
    assert own_builder("own_model_here:build", SPEC).build({}) is None
    del sys.modules["own_model_here"]


def test_builder_that_returns_no_model_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match=r'model "tests.models.builders:build_nothing" returned NoneType'
    ):
        build("tests.models.builders:build_nothing", {}, SPEC)


def test_own_builder_gets_values_and_image_spec() -> None:
    model = build("tests.models.builders:build_own", {"units": 5}, SPEC)
    assert model.input_shape == (None, 8, 8, 1)
    assert [layer.units for layer in model.layers[1:]] == [5, 2]


def test_keras_tuner_builder_gets_the_values_and_keeps_what_it_compiled() -> None:
    values = {"layers": 2, "units_0": 16, "units_1": 4, "rate": 0.03}
    model = compiled_model("tests.models.builders:build_from_hp", values, SPEC)
    assert [layer.units for layer in model.layers[1:]] == [16, 4, 2]
    assert model.layers[-1].activation is keras.activations.softmax
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.03)
    assert model.loss == "sparse_categorical_crossentropy"


def test_complete_fills_in_a_familys_defaults_only() -> None:
    assert complete("cnn", {"filters": 5})["filters"] == 5
    assert complete("cnn", {})["conv_blocks"] == 3
    assert complete("my_package:build", {"units": 5}) == {"units": 5}


def test_networks_of_baselines_are_those_that_no_space_searches() -> None:
    searched = {*VOCABULARIES, *(name + HEAD for name in BACKBONE_NAMES)}
    assert set(BUILDERS) - searched == set(BASELINE_NAMES)
