"""A builder of your own is tried out.

What cannot work is told before the search, what can be mended is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.images import image_spec
from tests.soak import published
from tuner.errors import ConfigurationError
from tuner.training import finished
from tuner.training.own_builders.dry_build import dry_build
from tuner.training.own_builders.own_metrics import scalars

SPEC = image_spec(2)
SETTINGS: list[dict[str, Any]] = [{"units": 4}, {"units": 8}]


def tried(name: str, objective: str = "val_accuracy") -> list[str]:
    return dry_build(f"tests.soak.published:{name}", SETTINGS, SPEC, objective)


def test_layer_that_cannot_be_saved_leaves_its_weights(capsys: pytest.CaptureFixture[str]) -> None:
    assert tried("build_forgetful") == [
        "Keras cannot describe the model in a file, so model.weights.h5 will hold its weights; "
        "`predict` builds it with tests.soak.published:build_forgetful: keep that module"
    ]
    assert capsys.readouterr().out == ""


def build_chatty(hp: Any) -> Any:
    print("in build")  # noqa: T201 - what a builder of your own may do
    return published.build_three_units(hp)


def test_prints_of_a_refused_builder_stay_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    # The command line takes stdout over, and shows at the end what went there before a run had a
    # log.
    with pytest.raises(ConfigurationError, match="3 values"):
        dry_build(f"{__name__}:build_chatty", SETTINGS[:1], SPEC, "val_accuracy")
    assert capsys.readouterr().out == "in build\n"


def test_own_step_with_logits_is_searched() -> None:
    # A subclassed model: Keras cannot describe it either.
    assert len(tried("build_own_step")) == 1


def test_vector_metric_is_a_mean_and_one_that_raises_is_left_out() -> None:
    assert tried("build_f1", "val_f1_score") == []
    (notice,) = tried("build_failing_metric")
    assert notice.startswith(
        "the metric own is left out, since it cannot be computed: AttributeError: "
    )


def test_metrics_with_several_values_become_numbers() -> None:
    measured = {
        "loss": np.float32(0.5),
        "f1": np.array([0.25, 0.75]),
        "of": {"a": 1.0, "b": 2.0},
        "none": None,
    }
    assert scalars(measured) == {"loss": 0.5, "f1": 0.5, "of_a": 1.0, "of_b": 2.0}


def test_objective_that_is_not_reported_is_refused_with_those_that_are() -> None:
    with pytest.raises(ConfigurationError) as caught:
        tried("build_without_accuracy")
    assert caught.value.message.endswith("reports val_loss, val_sparse_categorical_accuracy")
    assert "objective: val_sparse_categorical_accuracy" in caught.value.hint


def test_weights_that_no_seed_changes_and_those_that_do_not_train_are_told() -> None:
    (seeded,) = dry_build("tests.training.builders:build_seeded", [{}], SPEC, "val_accuracy")
    assert seeded.startswith("models of one setting begin with the same weights for every seed")
    (frozen,) = dry_build("tests.training.builders:build_frozen", [{}], SPEC, "val_accuracy")
    assert frozen == "the model has no trainable weights, so all epochs are the same"


def test_builder_that_raises_is_refused_with_its_line() -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"ValueError: no such layer: Conv9D \(published.py:\d+, in build_rai",
    ):
        tried("build_raising")


def made(name: str) -> keras.Model:
    return finished._own(f"tests.soak.published:{name}", {"units": 4}, SPEC)[1]


@pytest.mark.parametrize(
    "name", ["build_lambda", "build_custom_layer", "build_subclassed", "build_logits"]
)
def test_saved_model_comes_back(name: str, tmp_path: Path) -> None:
    model = made(name)
    path = finished.save_model(model, tmp_path / "model.keras", SPEC)
    assert {file.name for file in tmp_path.iterdir()} == {path.name}
    loaded = finished.load_finished(path, f"tests.soak.published:{name}", {"units": 4}, SPEC)
    np.testing.assert_allclose(
        finished.outputs_of(loaded, SPEC), finished.outputs_of(model, SPEC), atol=1e-6
    )


def test_model_with_logits_is_saved_in_plain_keras(tmp_path: Path) -> None:
    path = finished.save_model(made("build_logits"), tmp_path / "model.keras", SPEC)
    loaded = keras.models.load_model(path)
    np.testing.assert_allclose(np.sum(finished.outputs_of(loaded, SPEC), axis=1), 1, atol=1e-6)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = finished.save_model(made("build_custom_layer"), tmp_path / "model.keras", SPEC)
    with pytest.raises(
        ConfigurationError, match=r"Keras alone cannot load it .* cannot rebuild it"
    ):
        finished.load_finished(path, "tests.soak.published:build_custom_layer", {"units": 8}, SPEC)
