"""Which backbones oppose the winner, with and without weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.retrain.test_contenders import tuned
from tuner.records.contender import Contender
from tuner.retrain.contenders import FromScratch
from tuner.retrain.opponents import BackboneRules, backbone_opponents
from tuner.space.retrain_settings import RetrainSettings

RETRAIN = RetrainSettings(epochs=20, seeds=1, patience=5)
RULES = BackboneRules(stated={}, scratch=FromScratch(input_size=48), input_size=96, retrain=RETRAIN)
FIRST_LOOK = replace(RULES, scratch=replace(RULES.scratch, is_last_resort=True))


def opponents(
    *names: str,
    problem: Callable[[Contender], str | None] = lambda contender: None,
    rules: BackboneRules = RULES,
) -> tuple[list[str], list[str]]:
    """Titles of the opponents, and what was told."""
    told: list[str] = []
    found = [one.title for one in backbone_opponents(tuned(), names, rules, problem, told.append)]
    return found, told


def only_lite2(contender: Contender) -> str | None:
    return None if contender.model == "efficientnet_lite2" else "no network"


def test_pretrained_backbones_come_as_asked_for() -> None:
    found, told = opponents("efficientnet_v2_b0", "efficientnet_b2")
    assert found == ["EfficientNetV2B0 (ImageNet)", "EfficientNetB2 (ImageNet)"]
    assert told == []


def test_backbone_without_weights_is_trained_from_scratch_beside_an_installed_one() -> None:
    found, told = opponents("efficientnet_b2", problem=only_lite2)
    assert found == ["EfficientNetB2 (from scratch)", "EfficientNet-Lite2 (ImageNet)"]
    assert told == [
        "EfficientNetB2 is trained from scratch, outside of the verdict: no network."
        " EfficientNet-Lite2 is compared as well",
    ]


def test_a_first_look_trains_from_scratch_only_where_nothing_stands_in() -> None:
    found, told = opponents("efficientnet_b2", problem=only_lite2, rules=FIRST_LOOK)
    assert found == ["EfficientNet-Lite2 (ImageNet)"]
    assert told == [
        "EfficientNetB2 is left out: no network. EfficientNet-Lite2 is compared instead"
    ]
    found, told = opponents("efficientnet_b2", problem=lambda one: "no network", rules=FIRST_LOOK)
    assert found == ["EfficientNetB2 (from scratch)"]


def test_backbone_that_is_asked_for_comes_once() -> None:
    found, _ = opponents("efficientnet_b2", "efficientnet_lite2", problem=only_lite2)
    assert found == ["EfficientNetB2 (from scratch)", "EfficientNet-Lite2 (ImageNet)"]


def test_without_any_weights_there_is_the_network_from_scratch_alone() -> None:
    found, told = opponents("efficientnet_b2", problem=lambda contender: "no network")
    assert found == ["EfficientNetB2 (from scratch)"]
    assert told == ["EfficientNetB2 is trained from scratch, outside of the verdict: no network"]


def test_network_that_was_made_for_its_weights_is_left_out_without_them() -> None:
    found, told = opponents("efficientnet_lite2", problem=lambda contender: "not installed")
    assert found == []
    assert told == ["EfficientNet-Lite2 is left out: not installed"]
