"""Who is compared with the winner, and by which rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.images import SMALL_CNN, stopping
from tuner.data.cards.published_baseline import Baseline
from tuner.models.registry import complete, schedule_for
from tuner.records.contender import Contender
from tuner.retrain.contenders import (
    FromScratch,
    baselines,
    from_scratch,
    most_epochs,
    pretrained,
    tuned_contenders,
)
from tuner.space.definition import Family, Space
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import parse_space
from tuner.space.retrain_settings import RetrainSettings

RETRAIN = RetrainSettings(epochs=20, seeds=1, patience=5)

STATED = Baseline.model_validate(
    {
        "model": "sigmoid_cnn",
        "title": "the tutorial's",
        "source": "s",
        "values": {"dropout": 0.3},
        "published": {"epochs": 15, "stop_metric": "accuracy", "stop_value": 0.999},
    }
)


def tuned(**changes: Any) -> Contender:
    usual: dict[str, Any] = {
        "name": "tuned",
        "title": "Tuned",
        "model": "cnn",
        "values": SMALL_CNN,
        "max_epochs": 3,
        "early_stopping": stopping(patience=2),
        "schedule": "cosine",
    }
    return Contender(**usual | changes)


def test_baseline_trains_its_own_architecture_by_the_winners_rules() -> None:
    winner = tuned()
    (found,) = baselines(winner, STATED, ("baseline",))
    assert (found.model, found.values) == ("sigmoid_cnn", complete("sigmoid_cnn", {"dropout": 0.3}))
    assert (found.max_epochs, found.schedule, found.early_stopping) == (
        3,
        "cosine",
        winner.early_stopping,
    )
    assert found.in_verdict


def test_published_baseline_trains_by_its_sources_rules_outside_the_verdict() -> None:
    (found,) = baselines(tuned(), STATED, ("baseline_published",))
    rule = found.early_stopping
    assert (found.name, found.max_epochs, found.schedule) == ("baseline_published", 15, "constant")
    assert (rule.patience, rule.stop_metric, rule.stop_value, rule.keeps_best) == (
        None,
        "accuracy",
        0.999,
        False,
    )
    assert not found.in_verdict
    assert found.note == "the tutorial's; its published schedule, not the rules of the others"


def test_baseline_that_nobody_asks_for_is_left_out() -> None:
    assert list(baselines(tuned(), STATED, ("efficientnet_b2",))) == []


def test_pretrained_backbone_trains_under_the_winners_rules_with_a_falling_rate() -> None:
    winner = tuned(max_epochs=20, schedule="constant")
    found = pretrained(winner, "efficientnet_b2", {}, input_size=96, retrain=RETRAIN)
    assert (found.model, found.title, found.in_verdict) == (
        "efficientnet_b2",
        "EfficientNetB2 (ImageNet)",
        True,
    )
    assert (found.max_epochs, found.schedule, found.early_stopping) == (
        20,
        "cosine",
        winner.early_stopping,
    )
    assert found.max_train_images is None
    assert (
        found.note
        == "ImageNet weights, at 96 px, frozen; only the head was trained; its hyperparameters"
        " were not searched"
    )


def test_backbone_is_named_with_what_it_was_pretrained_on_and_its_own_size() -> None:
    found = pretrained(tuned(), "dinov2_small", {}, input_size=96, retrain=RETRAIN)
    assert found.title == "DINOv2-Small (LVD-142M)"
    assert found.note.startswith("LVD-142M weights, at 84 px, frozen; ")


@pytest.mark.parametrize(("unfreeze_blocks", "expected"), [(0, 40), (2, 6)])
def test_only_a_head_on_kept_features_trains_longer_than_a_short_run_allows(
    unfreeze_blocks: int, expected: int
) -> None:
    short = replace(RETRAIN, epochs=6, head_epochs=40)
    stated = {"unfreeze_blocks": unfreeze_blocks}
    found = pretrained(tuned(), "efficientnet_lite2", stated, input_size=96, retrain=short)
    assert found.max_epochs == expected
    assert most_epochs(short, "cnn", SMALL_CNN) == 6
    scratch = {"weights": "none"}
    assert most_epochs(short, "efficientnet_lite2", scratch) == 6


def test_what_the_space_says_of_backbones_counts_and_is_told() -> None:
    stated = {"weights": "own.h5", "input_size": 260, "unfreeze_blocks": 2}
    found = pretrained(tuned(), "efficientnet_lite2", stated, input_size=96, retrain=RETRAIN)
    assert found.title == "EfficientNet-Lite2 (weights of your own)"
    assert (
        found.note
        == "weights of your own, at 260 px; the head was trained first, then the last 2 blocks"
        " too; "
        "its hyperparameters were not searched"
    )
    assert {name: found.values[name] for name in stated} == stated


def test_backbone_from_scratch_is_marked_everywhere_and_left_out_of_the_verdict() -> None:
    found = from_scratch(
        tuned(), "efficientnet_b2", FromScratch(input_size=48, max_epochs=2, max_train_images=300)
    )
    assert (found.model, found.title) == ("efficientnet_b2", "EfficientNetB2 (from scratch)")
    assert found.values["weights"] == "none"
    assert not found.in_verdict
    assert found.note.startswith("trained from scratch at 48 px")
    assert "at most 300 images and 2 epochs" in found.note
    assert (found.max_epochs, found.max_train_images) == (2, 300)


def test_backbone_from_scratch_has_the_winners_ceiling_where_nothing_else_is_said() -> None:
    found = from_scratch(tuned(max_epochs=20), "efficientnet_b2", FromScratch(input_size=96))
    assert (found.max_epochs, found.max_train_images) == (20, None)
    assert "first look" not in found.note


@pytest.mark.parametrize(
    ("model", "schedule"), [("cnn", "constant"), ("efficientnet_v2_b0", "cosine")]
)
def test_rate_of_a_backbone_always_falls(model: str, schedule: str) -> None:
    assert schedule_for(model, "constant") == schedule


@pytest.mark.parametrize(
    ("families", "model", "title"),
    [
        ((), "cnn", "Tuned"),
        (("cnn", "efficientnet_lite0"), "cnn", "Tuned (cnn)"),
        (("cnn", "efficientnet_lite0"), "efficientnet_lite0", "Tuned (EfficientNet-Lite0)"),
    ],
)
def test_of_several_families_the_winners_title_names_its_own(
    families: tuple[str, ...], model: str, title: str
) -> None:
    file = parse_space(parse_document("version: 1\nspace: {}", "my.yaml"))
    nothing = Space(parameters=(), fixed={})
    found = tuple(Family(name=name, model=name, space=nothing) for name in families)
    (winner,) = tuned_contenders(replace(file, families=found), [(model, {})], "constant")
    assert (winner.name, winner.title, winner.model) == ("tuned", title, model)
