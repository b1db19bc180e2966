"""Settings of the process that a builder of your own changes.

They hold for its own models, each of them.
"""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from tests.images import SMALL_CNN, image_spec
from tuner.backend import keras_settings
from tuner.training.compiled import compiled_model

SPEC = image_spec(2)

MODEL = """
def build(hp, image_spec):
    {inside}
    return keras.Sequential(
        [
            keras.layers.Input(image_spec.shape),
            keras.layers.Flatten(),
            keras.layers.Dense(hp.Choice("units", [4, 8])),
            keras.layers.Dense(2, activation="softmax", dtype="float32"),
        ]
    )
"""


def write(
    place: Path, monkeypatch: pytest.MonkeyPatch, name: str, *, above: str = "", inside: str = ""
) -> str:
    source = f"import keras\n{above}\n{MODEL.format(inside=inside or 'pass')}"
    (place / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(place)
    return f"{name}:build"


def test_precision_that_a_module_sets_at_its_top_is_that_of_all_its_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keras_settings.current()
    model = write(
        tmp_path,
        monkeypatch,
        "own_sets_policy",
        above="keras.config.set_dtype_policy('mixed_bfloat16')",
    )
    for _ in range(2):
        built = compiled_model(model, {"units": 4}, SPEC)
        assert built.layers[1].compute_dtype == "bfloat16"
        assert keras_settings.current() == before
        # As between two trainings.
        keras.backend.clear_session()
    assert {layer.compute_dtype for layer in compiled_model("cnn", SMALL_CNN, SPEC).layers} == {
        "float32"
    }


def test_number_types_that_a_builder_sets_end_with_its_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keras_settings.current()
    changes = "keras.config.set_floatx('float64'); keras.config.set_epsilon(1e-4)"
    compiled_model(
        write(tmp_path, monkeypatch, "own_sets_floatx", inside=changes), {"units": 4}, SPEC
    )
    assert keras_settings.current() == before


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="a switch of TensorFlow's")
def test_functions_are_graphs_again_after_a_builder_that_runs_them_eagerly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    eager = "import tensorflow; tensorflow.config.run_functions_eagerly(True)"
    compiled_model(
        write(tmp_path, monkeypatch, "own_runs_eagerly", above=eager, inside=eager),
        {"units": 4},
        SPEC,
    )
    assert not tf.config.functions_run_eagerly()
