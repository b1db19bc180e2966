"""Backbones by name, and which of their layers a block has."""

from __future__ import annotations

import subprocess
import sys

import keras
import pytest

from tuner.models.backbones import dinov2, lite
from tuner.models.backbones.catalog import BACKBONES, is_fine_tuned, is_frozen
from tuner.models.backbones.published_weights import DOWNLOADS, PACKAGES
from tuner.models.backbones.stages import feature_key
from tuner.space.vocabulary import BACKBONE_NAMES

B2 = BACKBONES["efficientnet_b2"]


def test_vocabulary_and_catalogue_know_the_same_names() -> None:
    assert list(BACKBONES) == list(BACKBONE_NAMES)


@pytest.mark.parametrize(
    "backbone", [b for b in BACKBONES.values() if b.application], ids=lambda b: b.name
)
def test_every_application_is_one_of_keras(backbone) -> None:
    assert callable(getattr(keras.applications, backbone.application))
    assert backbone.title == backbone.application


def test_every_other_network_has_a_source_of_weights_and_a_title_of_its_own() -> None:
    others = [b.name for b in BACKBONES.values() if not b.application]
    assert list(lite.BLOCKS) == list(PACKAGES)
    assert list(dinov2.SIZES) == list(DOWNLOADS)
    assert others == [*PACKAGES, *DOWNLOADS]
    assert [BACKBONES[name].title for name in others] == [
        "EfficientNet-Lite0",
        "EfficientNet-Lite2",
        "DINOv2-Small",
        "DINOv2-Base",
    ]


@pytest.mark.parametrize("name", dinov2.SIZES)
def test_catalogue_states_what_the_transformer_is(name: str) -> None:
    backbone, size = BACKBONES[name], dinov2.SIZES[name]
    assert backbone.n_features == 2 * size.width
    assert len(backbone.blocks) == size.n_blocks
    assert backbone.patch == dinov2.PATCH


@pytest.mark.parametrize(
    ("name", "input_size", "side"),
    [("dinov2_small", 224, 224), ("dinov2_base", 96, 84), ("efficientnet_b2", 97, 97)],
)
def test_input_size_is_rounded_down_to_whole_patches(name: str, input_size: int, side: int) -> None:
    assert BACKBONES[name].side(input_size) == side
    rounded, exact = (feature_key(name, {"input_size": size}) for size in (input_size, side))
    # So the features of both are computed once.
    assert rounded == exact


@pytest.mark.parametrize(
    ("layer", "n_blocks", "expected"),
    [
        ("top_conv", 0, False),
        ("top_conv", 1, True),
        ("block7a_se_reduce", 1, True),
        ("block7b_dwconv", 1, True),
        ("block6d_project_conv", 1, False),
        ("block6d_project_conv", 2, True),
        ("block1a_dwconv", 6, False),
        ("block1a_dwconv", 7, True),
        ("stem_conv", 7, False),
        ("rescaling", 7, False),
    ],
)
def test_blocks_are_unfrozen_whole_and_from_the_top(
    layer: str, n_blocks: int, expected: bool
) -> None:
    assert B2.is_unfrozen(layer, n_blocks) is expected


@pytest.mark.parametrize(
    ("layer", "n_blocks", "expected"),
    [
        ("top_norm", 0, False),
        ("top_norm", 1, True),
        ("block12_attention", 1, True),
        ("block11_mlp_expand", 1, False),
        ("block11_mlp_expand", 2, True),
        ("block1_attention", 7, False),
        ("tokens", 7, False),
    ],
)
def test_a_transformers_blocks_are_unfrozen_from_the_last_one(
    layer: str, n_blocks: int, expected: bool
) -> None:
    assert BACKBONES["dinov2_small"].is_unfrozen(layer, n_blocks) is expected


@pytest.mark.parametrize(
    ("weights", "unfreeze_blocks", "frozen", "fine_tuned"),
    [("imagenet", 0, True, False), ("b2.h5", 2, False, True), ("none", 0, False, False)],
)
def test_setting_is_frozen_fine_tuned_or_from_scratch(
    weights: str, unfreeze_blocks: int, frozen: bool, fine_tuned: bool
) -> None:
    values = {"weights": weights, "unfreeze_blocks": unfreeze_blocks}
    assert (is_frozen(values), is_fine_tuned(values)) == (frozen, fine_tuned)


def test_catalogue_and_checks_of_weights_need_no_keras() -> None:
    script = (
        "import sys, tuner.models.backbones.catalog, tuner.models.backbones.torch_file\n"
        "assert not {'keras', 'tensorflow', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
