"""One network for an ensemble, and one for views: Keras' own layers, and the same probabilities."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.images import SMALL_CNN, banded_images, image_spec, train_task, training_data
from tests.kept_models import KEPT_MODELS
from tuner.backend.active import n_together, plain_copy, policy, predictor
from tuner.evaluation.combined.member_network import MemberNetworks, takes_temperature
from tuner.evaluation.combined.mixed_network import mixed_network, view_network
from tuner.evaluation.image_views import averaged, seen, view_sets
from tuner.metrics.calibration import tempered
from tuner.models.backbones.classifier import copy_head
from tuner.models.backbones.stages import HEAD
from tuner.models.registry import build, complete
from tuner.records.combination import View
from tuner.records.image import ImageSpec
from tuner.training.compiled import probabilities
from tuner.training.finished import finished_model
from tuner.training.fit import run_task
from tuner.training.hooks import Hooks

SPEC = image_spec(channels=3)
IMAGES = banded_images(20, SPEC, seed=7)[0]


def trained(folder: Path, name: str, **values: Any) -> tuple[dict[str, Any], Path]:
    """A setting of the small CNN, and where its training of two epochs lies."""
    path = folder / f"{name}.npz"
    task = train_task(values={**SMALL_CNN, **values}, save_to=path)
    result = run_task(
        task,
        training_data(channels=3),
        Hooks(on_epoch=lambda task, epoch: None),
        KEPT_MODELS,
    )
    assert result.failure is None
    return dict(task.values), path


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[dict[str, Any], Path]]:
    """Two networks, which scale pixels otherwise."""
    folder = tmp_path_factory.mktemp("members")
    return [
        trained(folder, "rescaled"),
        trained(folder, "standardized", filters=6, normalization="standardize"),
    ]


def alone(member: tuple[dict[str, Any], Path], spec: ImageSpec = SPEC) -> np.ndarray:
    values, checkpoint = member
    return probabilities(predictor(finished_model("cnn", values, spec, checkpoint))(IMAGES))


def saved_and_loaded(model: keras.Model, path: Path) -> keras.Model:
    model.save(path)
    return keras.models.load_model(path)


def classes_of(model: keras.Model) -> set[str]:
    return {type(layer).__module__.partition(".")[0] for layer in model._flatten_layers()}


def test_members_are_averaged_by_their_shares_after_their_temperatures(
    members: list[tuple[dict[str, Any], Path]], tmp_path: Path
) -> None:
    networks = MemberNetworks(SPEC)
    outputs = [
        (networks.add("cnn", values, checkpoint, temperature), share)
        for (values, checkpoint), temperature, share in zip(
            members, (2.0, None), (0.75, 0.25), strict=True
        )
    ]
    model = mixed_network(networks, outputs)
    expected = 0.75 * tempered(alone(members[0]), 2.0) + 0.25 * alone(members[1])
    for one in (model, saved_and_loaded(model, tmp_path / "ensemble.keras")):
        np.testing.assert_allclose(predictor(one)(IMAGES), expected, atol=1e-6)
        assert classes_of(one) == {"keras"}
    assert not np.allclose(expected, 0.75 * alone(members[0]) + 0.25 * alone(members[1]), atol=1e-4)


def sigmoid_network(spec: ImageSpec) -> keras.Model:
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input(spec.shape),
            keras.layers.Flatten(),
            keras.layers.Dense(1, activation="sigmoid", kernel_initializer="zeros"),
        ]
    )


def test_one_sigmoid_unit_stands_beside_two_softmax_units(
    members: list[tuple[dict[str, Any], Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    one_unit = sigmoid_network(SPEC)
    one_unit.layers[-1].bias.assign([1.5])
    networks = MemberNetworks(SPEC)
    values, checkpoint = members[0]
    first = networks.add("cnn", values, checkpoint, None)
    with monkeypatch.context() as patch:
        patch.setattr(
            "tuner.evaluation.combined.member_network.finished_model",
            lambda *given, **named: one_unit,
        )
        second = networks.add("sigmoid_cnn", {}, checkpoint, 3.0)
    model = mixed_network(networks, [(first, 0.5), (second, 0.5)])
    share = 1 / (1 + np.exp(-0.5))
    expected = (alone(members[0]) + np.array([1 - share, share])) / 2
    np.testing.assert_allclose(predictor(model)(IMAGES), expected, atol=1e-6)


def test_a_member_alone_is_itself(members: list[tuple[dict[str, Any], Path]]) -> None:
    networks = MemberNetworks(SPEC)
    values, checkpoint = members[0]
    model = mixed_network(networks, [(networks.add("cnn", values, checkpoint, None), 1.0)])
    np.testing.assert_allclose(predictor(model)(IMAGES), alone(members[0]), atol=1e-7)


@pytest.mark.parametrize(
    ("last", "takes"),
    [
        (keras.layers.Dense(2, activation="softmax"), True),
        (keras.layers.Dense(1, activation="sigmoid"), True),
        (keras.layers.Dense(2), False),
        (keras.layers.Softmax(), False),
    ],
)
def test_a_temperature_needs_a_dense_layer_that_ends_in_probabilities(
    last: keras.layers.Layer, takes: bool
) -> None:
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2), last])
    assert takes_temperature(network) is takes


def pixels_of(spec: ImageSpec) -> keras.Model:
    """A network that puts out its pixels, so that a view shows."""
    return keras.Sequential([keras.Input(spec.shape), keras.layers.Flatten()])


@pytest.mark.parametrize("view", view_sets(48, 40, may_mirror=True)[-1].views)
def test_a_view_of_the_network_is_that_of_the_row_to_the_last_bit(view: View) -> None:
    spec = replace(SPEC, height=9, width=7)
    images = np.random.default_rng(0).integers(0, 256, (3, *spec.shape), dtype=np.uint8)
    model = view_network(pixels_of(spec), [view], spec)
    expected = seen(images, view).reshape(3, -1)
    np.testing.assert_array_equal(predictor(model)(images), expected)


def test_views_are_averaged_as_in_the_row_and_loaded_by_plain_keras(
    members: list[tuple[dict[str, Any], Path]], tmp_path: Path
) -> None:
    values, checkpoint = members[0]
    network = finished_model("cnn", values, SPEC, checkpoint)
    views = view_sets(8, 8, may_mirror=True)[-1]
    (expected,) = averaged(predictor(network), IMAGES, np.arange(20), [views])
    model = view_network(network, views.views, SPEC)
    for one in (model, saved_and_loaded(model, tmp_path / "views.keras")):
        np.testing.assert_allclose(predictor(one)(IMAGES), expected, atol=1e-6)
        assert classes_of(one) == {"keras"}
    # The network's weights are there once; each view adds at most a matrix that moves pixels.
    assert model.count_params() - network.count_params() <= 7 * 8 * 8


@pytest.mark.slow
def test_a_small_cnn_stands_beside_heads_on_one_backbone_that_enlarges_the_images(
    members: list[tuple[dict[str, Any], Path]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    family = "efficientnet_lite0"
    settings = [
        complete(family, {"weights": "imagenet", "input_size": 64, "dense_units": units})
        for units in (0, 5)
    ]
    heads, alone_ = [], []
    for values in settings:
        head, whole = build(family + HEAD, values, SPEC), build(family, values, SPEC)
        copy_head(head, whole)
        heads.append(head)
        alone_.append(predictor(whole)(IMAGES))
    n_backbone = whole.count_params()
    left = iter(heads)
    monkeypatch.setattr(
        "tuner.evaluation.combined.member_network.finished_head",
        lambda *given, **named: plain_copy(next(left)),
    )
    networks = MemberNetworks(SPEC)
    values, checkpoint = members[0]
    outputs = [
        networks.add("cnn", values, checkpoint, None),
        *(networks.add(family, one, checkpoint, 1.0) for one in settings),
    ]
    model = mixed_network(networks, list(zip(outputs, (0.5, 0.25, 0.25), strict=True)))
    expected = 0.5 * alone(members[0]) + 0.25 * alone_[0] + 0.25 * alone_[1]
    loaded = saved_and_loaded(model, tmp_path / "ensemble.keras")
    np.testing.assert_allclose(predictor(loaded)(IMAGES), expected, atol=1e-5)
    assert classes_of(loaded) == {"keras"}
    assert model.count_params() < 1.1 * n_backbone
    assert n_together(model) == policy().n_together(64 * 64) < policy().n_together(8 * 8)
