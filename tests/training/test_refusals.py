"""Settings that are not trained: they cannot be built, or are sure to break a constraint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.images import image_spec
from tuner.models.registry import build, complete
from tuner.space.constraints import NO_CONSTRAINTS, Constraints
from tuner.training.finished import save_model
from tuner.training.refusals import n_parameters, refusal

SPEC = image_spec(n_classes=3)
OWN = "tests.training.builders:build_compiled"

MODELS: dict[str, dict[str, Any]] = {
    "cnn": {"conv_blocks": 2, "filters": 8},
    "sigmoid_cnn": {"filters": [4], "dense_units": 8, "dropout": 0.0},
    "mobilenet_v3_small": {"weights": "none", "dense_units": 8, "input_size": 32},
    "efficientnet_lite0": {"weights": "imagenet", "input_size": 32},
    "dinov2_small": {"weights": "none", "input_size": 32},
}


@pytest.mark.parametrize("model", MODELS)
def test_all_parameters_of_the_whole_model_count(model: str) -> None:
    spec = image_spec(n_classes=2 if model == "sigmoid_cnn" else 3)
    whole = build(model, complete(model, MODELS[model]), spec)
    assert n_parameters(model, MODELS[model], spec) == whole.count_params()


def test_own_builders_are_built_and_counted() -> None:
    n = n_parameters(OWN, {}, SPEC)
    assert n
    assert refusal(OWN, {}, SPEC, Constraints(parameters=n)) is None
    reason = refusal(OWN, {}, SPEC, Constraints(parameters=n - 1))
    assert reason == f"{n:,} parameters are over the {n - 1:,} of constraints.parameters"


def test_what_cannot_be_counted_is_left_to_its_trial() -> None:
    tight = Constraints(parameters=1)
    assert refusal("tests.execution.builders:missing", {}, SPEC, tight) is None
    too_deep = {"filters": [4, 4, 4, 4], "dense_units": 8, "dropout": 0.0}
    assert refusal("sigmoid_cnn", too_deep, SPEC, tight) is None


def test_a_file_is_never_smaller_than_its_weights(tmp_path: Path) -> None:
    for model in ("cnn", "mobilenet_v3_small"):
        whole = build(model, complete(model, MODELS[model]), SPEC)
        size = save_model(whole, tmp_path / "model.keras", SPEC).stat().st_size
        # So what is refused beforehand would have been refused afterwards.
        assert refusal(model, MODELS[model], SPEC, Constraints(file_mb=size / 1e6)) is None
        weights_mb = 4 * whole.count_params() / 1e6
        reason = refusal(model, MODELS[model], SPEC, Constraints(file_mb=0.99 * weights_mb))
        assert reason is not None
        assert reason.endswith("MB of constraints.file_mb")


def test_what_cannot_be_built_is_told_first() -> None:
    reason = refusal("cnn", {"conv_blocks": 6}, SPEC, Constraints(parameters=1))
    assert reason is not None
    assert reason.startswith("conv_blocks is 6")
    assert refusal("cnn", MODELS["cnn"], SPEC, NO_CONSTRAINTS) is None
    assert refusal("cnn", MODELS["cnn"], SPEC, Constraints(latency_ms=1e-9)) is None
