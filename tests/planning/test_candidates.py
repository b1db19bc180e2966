"""What a plan measures."""

from __future__ import annotations

from dataclasses import replace

from tests.images import training_data
from tests.planning.contenders import FROZEN, stated_baselines
from tuner.planning.candidates import (
    MAX_MEASURED,
    by_turns,
    candidate_of,
    candidates,
    fewer,
    first_settings,
)
from tuner.planning.corners import Corner
from tuner.planning.measure import model_key
from tuner.search.study import make_study
from tuner.space.definition import Family, Parameter, Space
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.families import together
from tuner.space.parsing.parse import parse_space


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


def test_of_few_measured_settings_each_family_has_one() -> None:
    data = training_data(64, 24)
    drawn = [
        candidate_of(f"setting {number}", model, {"dropout": number / 10}, data)
        for number, model in enumerate(["cnn", "cnn", "cnn", "efficientnet_b2", "cnn"])
    ]
    names = [one.name for one in by_turns(drawn, 3)]
    assert names == ["setting 0", "setting 3", "setting 1"]


def test_the_extremes_of_each_family_are_measured() -> None:
    data = training_data(64, 24)
    corners = [
        Corner(model="efficientnet_b2", values={"dropout": 0.1}, n_parameters=1),
        Corner(model="cnn", values={"filters": 4}, n_parameters=2),
        Corner(model="efficientnet_b2", values={"dense_units": 8}, n_parameters=3),
        Corner(model="cnn", values={"filters": 8}, n_parameters=4),
    ]
    found = candidates(data, [], [], corners)
    assert [(one.name, one.model, one.values) for one in found] == [
        ("the largest model", "efficientnet_b2/head", {"dense_units": 8}),
        ("the largest model", "cnn", {"filters": 8}),
        ("the smallest model", "cnn", {"filters": 4}),
        ("the smallest model", "efficientnet_b2/head", {"dropout": 0.1}),
    ]


def test_settings_of_all_families_are_drawn_as_they_are_built() -> None:
    head = Space(parameters=(), fixed={"weights": "imagenet", "dropout": 0.1})
    cnn = Space(
        parameters=(Parameter(name="filters", kind="ordinal", choices=(4, 6, 8)),), fixed={}
    )
    families = (
        Family(name="efficientnet_b2", model="efficientnet_b2", space=head),
        Family(name="cnn", model="cnn", space=cnn),
    )
    file = parse_space(parse_document("version: 1\nspace: {}", "my.yaml"))
    file = replace(file, families=families, space=together(families))
    found = first_settings(file, 0, training_data(64, 24)).settings
    assert {one.model: one.values for one in found if "filters" not in one.values} == {
        "efficientnet_b2/head": {"weights": "imagenet", "dropout": 0.1}
    }
    # The whole space: one setting of a head, three networks.
    assert sorted(one.values["filters"] for one in found if one.model == "cnn") == [4, 6, 8]


def test_the_settings_are_those_that_a_run_with_its_priors_tries_first() -> None:
    text = (
        "version: 1\nspace:\n"
        "  dropout: {type: float, min: 0.0, max: 0.9, prior: 0.1}\n"
        "  learning_rate: {type: float, min: 1e-4, max: 1e-1, sampling: log, prior: 1e-3}\n"
        "search: {max_epochs: 9, factor: 3}\n"
    )
    file = parse_space(parse_document(text, "my.yaml"))
    study = make_study(
        space=file.space,
        objective=file.objective,
        settings=file.search,
        seed=7,
        problem=lambda values: None,
    )
    tried = [study.next_trial() for _ in range(MAX_MEASURED)]
    found = first_settings(file, 7, training_data(64, 24)).settings
    assert [one.values for one in found] == [trial.values for trial in tried if trial]
    assert found[0].values["dropout"] == 0.1, "the usual setting comes first"


def test_of_a_grid_the_first_settings_do_not_stand_for_all() -> None:
    text = (
        "version: 1\nspace: {filters: [4, 6, 8, 12], dropout: [0.0, 0.1, 0.2, 0.3, 0.4]}\n"
        "search: {method: grid, max_epochs: 9, factor: 3}\n"
    )
    file = parse_space(parse_document(text, "my.yaml"))
    found = first_settings(file, 0, training_data(64, 24)).settings
    assert len({one.values["filters"] for one in found}) > 1
