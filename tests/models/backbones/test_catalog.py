"""Backbones by name, and which of their layers a block has."""

from __future__ import annotations

import subprocess
import sys

import keras
import pytest

from tuner.models.backbones import lite
from tuner.models.backbones.catalog import BACKBONES, is_fine_tuned, is_frozen
from tuner.models.backbones.weights import PACKAGES
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


def test_every_other_network_has_blocks_and_a_package_of_weights_and_a_title_of_its_own() -> None:
    others = [b.name for b in BACKBONES.values() if not b.application]
    assert others == list(lite.BLOCKS) == list(PACKAGES)
    assert [BACKBONES[name].title for name in others] == [
        "EfficientNet-Lite0",
        "EfficientNet-Lite2",
    ]


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
