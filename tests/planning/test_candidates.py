"""What a plan measures."""

from __future__ import annotations

from tests.images import training_data
from tests.planning.contenders import FROZEN, stated_baselines
from tuner.planning.candidates import candidate_of, candidates, fewer
from tuner.planning.corners import Corner
from tuner.planning.measure import model_key


def test_both_baselines_are_one_model_to_measure() -> None:
    found = stated_baselines("baseline", "baseline_published")
    assert len(found) == 2
    assert len({model_key(one.model, one.values) for one in found}) == 1


def test_contender_of_fewer_images_is_measured_with_as_many() -> None:
    data = training_data(64, 24)
    assert len(fewer(data, 30).folds[0].train) == 30
    assert len(fewer(data, None).folds[0].train) == 64


def test_frozen_backbone_is_measured_as_a_head() -> None:
    head = candidate_of(FROZEN.title, FROZEN.model, FROZEN.values, training_data(64, 24))
    assert head.model == "efficientnet_b2/head"
    assert head.data.inputs.shape == (88, 1408)


def test_slowest_come_first_and_what_cannot_be_built_is_left_out() -> None:
    data = training_data(64, 24)
    corners = [
        Corner(model="cnn", values={"filters": 4}, n_parameters=1),
        Corner(model="cnn", values={"filters": 8}, n_parameters=2),
        Corner(model="cnn", values={"filters": 99}, problem="too large"),
    ]
    settings = [candidate_of("setting 1", "cnn", {"filters": 6}, data)]
    contenders = [*stated_baselines("baseline"), FROZEN]
    found = candidates(data, settings, [contenders[0], *contenders], corners)
    assert [one.name for one in found] == [
        "EfficientNetB2 (ImageNet)",
        "Baseline",
        "the largest model",
        "setting 1",
        "the smallest model",
    ]
    assert [one.values for one in found[2:]] == [{"filters": 8}, {"filters": 6}, {"filters": 4}]
