"""best.yaml: written by a run, edited by people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.store.recipes import make_recipe
from tuner.errors import ConfigurationError
from tuner.records.combination import Combination, Member, View
from tuner.records.expected_score import ExpectedScore
from tuner.records.sealed_recipe import Recipe
from tuner.store.recipe_file import edited_values, is_edited, read_recipe, write_recipe


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A recipe's file."""
    write_recipe(
        make_recipe(),
        tmp_path / "best.yaml",
        "How to use it:\n\npython -m tuner train --from best.yaml",
    )
    return tmp_path / "best.yaml"


def edit(path: Path, old: str, new: str) -> int:
    """Replace a line's text; the line's number, from 1."""
    lines = path.read_text(encoding="utf-8").split("\n")
    (number,) = [i for i, line in enumerate(lines) if line.strip() == old]
    lines[number] = lines[number].replace(old, new)
    path.write_text("\n".join(lines), encoding="utf-8")
    return number + 1


def test_recipe_comes_back_equal(path: Path) -> None:
    assert read_recipe(path) == make_recipe()


def test_outer_fold_comes_back_equal_and_need_not_be_there(tmp_path: Path, path: Path) -> None:
    recipe = make_recipe()
    nested = replace(recipe, data=replace(recipe.data, split=replace(recipe.data.split, outer=2)))
    write_recipe(nested, tmp_path / "nested.yaml", "")
    assert read_recipe(tmp_path / "nested.yaml") == nested
    edit(path, "outer: null", "")
    assert read_recipe(path) == recipe


def test_rules_of_its_own_come_back_equal_and_need_not_be_there(tmp_path: Path, path: Path) -> None:
    recipe = make_recipe()
    published = replace(
        recipe,
        patience=None,
        title="Baseline, as published",
        stop_metric="accuracy",
        stop_value=0.999,
        keeps_best=False,
        data=replace(recipe.data, max_train_images=30, draw_seed=7),
    )
    write_recipe(published, tmp_path / "published.yaml", "")
    assert read_recipe(tmp_path / "published.yaml") == published
    for line in (
        *("title: ''", "stop_metric: null", "stop_value: 0.0", "keeps_best: true"),
        *("max_train_images: null", "draw_seed: 0"),
    ):
        edit(path, line, "")
    assert read_recipe(path) == recipe


def test_network_of_a_baseline_takes_lists_of_numbers_and_the_rest_is_checked(
    tmp_path: Path,
) -> None:
    values = {"filters": [32, 16], "dense_units": 4, "dropout": 0.0, "learning_rate": 1e-3}
    recipe = replace(make_recipe(), model="sigmoid_cnn", values=values)
    write_recipe(recipe, tmp_path / "best.yaml", "")
    assert read_recipe(tmp_path / "best.yaml") == recipe
    for name, wrong in (("filters", ["many"]), ("learning_rate", [0.1, 0.2])):
        odd = replace(recipe, values={**values, name: wrong})
        write_recipe(odd, tmp_path / "best.yaml", "")
        with pytest.raises(ConfigurationError, match=rf"values\.{name} is \["):
            read_recipe(tmp_path / "best.yaml")


def test_names_that_yaml_could_take_for_something_else_come_back_equal(tmp_path: Path) -> None:
    recipe = make_recipe()
    names = ("no", "1e-4", "Überraschung 😀", "null", "x: y", "3", "08")
    recipe = replace(recipe, image=replace(recipe.image, class_names=names), test_accuracy=1.0)
    write_recipe(recipe, tmp_path / "best.yaml", "")
    assert read_recipe(tmp_path / "best.yaml") == recipe


def test_recipe_whose_contents_changed_is_edited_and_can_still_be_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not is_edited(path)
    path.write_text(text.replace("patience: 3", "patience:   3  # as before"), encoding="utf-8")
    assert not is_edited(path)
    path.write_text(text.replace("patience: 3", "patience: 4"), encoding="utf-8")
    assert is_edited(path)
    assert read_recipe(path).patience == 4


def test_of_an_edited_list_only_what_differs_is_named(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.yaml"
    copy.write_bytes(path.read_bytes())
    names = make_recipe().image.class_names
    edit(path, f"- {names[1]}", "- other")
    edit(path, "patience: 3", "patience: 4")
    found = edited_values(path, [path, tmp_path / "none.yaml", copy])
    assert sorted(found) == [
        f"image.class_names[1] is other, was {names[1]}",
        "patience is 4, was 3",
    ]


def test_recipe_without_a_digest_is_an_earlier_versions(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[-1].startswith("digest: ")
    path.write_text("\n".join(lines[:-1]), encoding="utf-8")
    assert not is_edited(path)
    assert read_recipe(path) == make_recipe()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("accuracy", 1.5, "expected.accuracy is 1.5; expected a number from 0 to 1"),
        ("n_seeds", 0, "expected.n_seeds is 0; expected 1 or more"),
        ("seed_sd", -1.0, "expected.seed_sd is -1.0; expected a number from 0 to 1"),
        ("n_seeds", 1, "expected.seed_sd is 0.1; expected null, for n_seeds is 1"),
        ("seed_sd", None, "expected.seed_sd is null; expected a number, for n_seeds is 2"),
        ("low", 0.95, "expected.accuracy is 0.9; expected a number from 0.95 to 1.0"),
        ("high", 0.85, "expected.accuracy is 0.9; expected a number from 0.8 to 0.85"),
    ],
)
def test_impossible_expectation_is_named(
    tmp_path: Path, name: str, value: Any, message: str
) -> None:
    usual = {
        "accuracy": 0.9, "low": 0.8, "high": 1.0, "n_images": 9, "n_seeds": 2, "seed_sd": 0.1,
    }  # fmt: skip
    expected = ExpectedScore(**{**usual, name: value})
    write_recipe(replace(make_recipe(), expected=expected), tmp_path / "best.yaml", "")
    with pytest.raises(ConfigurationError) as caught:
        read_recipe(tmp_path / "best.yaml")
    assert message in caught.value.message


def test_header_is_a_comment_above(path: Path) -> None:
    head = path.read_text(encoding="utf-8").split("\n")[:4]
    assert head == [
        "# How to use it:",
        "#",
        "# python -m tuner train --from best.yaml",
        "model: cnn",
    ]


def test_unknown_key_is_named_with_its_line_and_the_nearest_one(path: Path) -> None:
    line = edit(path, "patience: 3", "patence: 3")
    with pytest.raises(
        ConfigurationError, match=rf"best\.yaml:{line}: patence is not a known key"
    ) as caught:
        read_recipe(path)
    assert "patience" in f"{caught.value.message}{caught.value.hint}"


def test_unknown_key_inside_a_part_is_named_with_its_place(path: Path) -> None:
    line = edit(path, "limit: 64", "limits: 64")
    with pytest.raises(
        ConfigurationError, match=rf"best\.yaml:{line}: data\.split\.limits is not a known key"
    ):
        read_recipe(path)


def test_wrong_type_is_named_with_its_line(path: Path) -> None:
    line = edit(path, "max_epochs: 12", "max_epochs: twelve")
    with pytest.raises(
        ConfigurationError, match=rf"best\.yaml:{line}: max_epochs is .twelve.; expected a whole"
    ) as raised:
        read_recipe(path)
    assert raised.value.hint.startswith("correct the line, or take the value from the best.yaml")


def test_missing_key_is_named(path: Path) -> None:
    edit(path, "monitor: val_accuracy", "")
    with pytest.raises(ConfigurationError, match=r"best\.yaml:\d+: monitor is missing"):
        read_recipe(path)


@pytest.mark.parametrize("text", ["", "[1, 2]", "just text"])
def test_file_that_is_no_recipe_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "best.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=r"best\.yaml"):
        read_recipe(tmp_path / "best.yaml")


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"best\.yaml"):
        read_recipe(tmp_path / "best.yaml")


WRONG = {
    (
        "model: cnn",
        "model: cn",
    ): 'model is "cn"; expected cnn, a backbone such as efficientnet_b2, or package',
    ("dropout: 0.2", "dropout: 5"): "values.dropout is 5; expected a number from 0 to 0.9.",
    (
        "dropout: 0.2",
        "dropuot: 0.2",
    ): "values.dropuot is 0.2; expected nothing: it is not a hyperparameter of cnn.",
    ("dropout: 0.2", "dropout: [0.2]"): "values.dropout is [0.2]; expected a number from 0 to 0.9.",
    ("height: 8", "height: 0"): "image.height is 0; expected a whole number from 1 to 4096.",
    ("height: 8", "height: '8'"): 'image.height is "8"; expected a whole number.',
    ("height: 8", "height: true"): "image.height is true; expected a whole number.",
    ("channels: 1", "channels: 2"): "image.channels is 2; expected 1 or 3.",
    ("- c1", "- c0"): 'image.class_names.1 is "c0"; expected a name that no other class has.',
    ("- 64.0", "- 1e400"): "image.mean.0 is infinite; expected a finite number.",
    ("fold: 0", "fold: -1"): "data.fold is -1; expected 0 or more.",
    (
        "max_train_images: null",
        "max_train_images: 0",
    ): "data.max_train_images is 0; expected 1 or more.",
    ("draw_seed: 0", "draw_seed: -1"): "data.draw_seed is -1; expected 0 or more.",
    ("patience: 3", "patience: 0"): "patience is 0; expected a whole number from 1 to 100000.",
    ("stop_value: 0.0", "stop_value: 1e400"): "stop_value is infinite; expected a finite number.",
    ("limit: 64", "limit: 0"): "data.split.limit is 0; expected 1 or more.",
    (
        "seed: 4000000000",
        "seed: 4300000000",
    ): "seed is 4300000000; expected a whole number from 0 to 4294967295.",
    (
        "max_epochs: 12",
        "max_epochs: 0",
    ): "max_epochs is 0; expected a whole number from 1 to 100000.",
    ("patience: 3", "patience: 3.5"): "patience is 3.5; expected a whole number.",
    ("schedule: cosine", "schedule: linear"): 'schedule is "linear"; expected constant or cosine.',
    (
        "monitor: val_accuracy",
        "monitor: accuracy",
    ): 'monitor is "accuracy"; expected val_accuracy, val_macro_f1,',
    ("direction: max", "direction: min"): 'direction is "min"; expected max.',
    (
        "test_accuracy: null",
        "test_accuracy: 96.5",
    ): "test_accuracy is 96.5; expected a number from 0 to 1.",
    ("temperature: null", "temperature: 0"): "temperature is 0.0; expected a number above 0.",
}


@pytest.mark.parametrize("change", WRONG)
def test_what_cannot_be_is_named_with_its_line(path: Path, change: tuple[str, str]) -> None:
    line = edit(path, *change)
    with pytest.raises(ConfigurationError) as caught:
        read_recipe(path)
    assert caught.value.message.startswith(f"{path}:{line}: {WRONG[change]}")


def test_statistics_have_a_number_for_each_channel(path: Path) -> None:
    line = edit(path, "- 64.0", "- -1")
    with pytest.raises(ConfigurationError) as caught:
        read_recipe(path)
    message = "image.mean is [-1.0]; expected 1 numbers from 0 to 255, one for each channel."
    assert caught.value.message == f"{path}:{line - 1}: {message}"


def test_builder_of_ones_own_may_have_any_values(tmp_path: Path) -> None:
    own = replace(
        make_recipe(), model="mine.models:build", values={"layers": 3, "kind": "0x10", "zoom": 0.2}
    )
    write_recipe(own, tmp_path / "best.yaml", "")
    assert read_recipe(tmp_path / "best.yaml") == own
    edit(tmp_path / "best.yaml", "zoom: 0.2", "zoom: 3")
    with pytest.raises(
        ConfigurationError, match=r"values\.zoom is 3; expected a number from 0 to 0\.5"
    ):
        read_recipe(tmp_path / "best.yaml")


def test_line_breaks_in_a_header_and_names_stay_in_the_comment_and_in_quotes(
    tmp_path: Path,
) -> None:
    recipe = make_recipe()
    recipe = replace(
        recipe, image=replace(recipe.image, class_names=("a\nmodel: evil", "b\u2028c"))
    )
    write_recipe(recipe, tmp_path / "best.yaml", "one\rmodel: evil\u2028model: evil")
    assert read_recipe(tmp_path / "best.yaml") == recipe


def combined(**changes: Any) -> Recipe:
    member = Member(
        trial_id="0003",
        model="cnn",
        values={"filters": 8},
        seed=5,
        epochs=3,
        schedule_epochs=None,
        share=0.75,
        temperature=1.5,
    )
    other = replace(member, model="efficientnet_lite2", values={}, share=0.25, schedule_epochs=4)
    usual = {"members": (replace(member, **changes), other)}
    return replace(make_recipe(), combination=Combination(**usual))


def test_members_and_views_come_back_equal_and_need_not_be_there(
    tmp_path: Path, path: Path
) -> None:
    views = Combination(views=(View(), View(down=-2, is_mirrored=True)))
    for recipe in (combined(), replace(make_recipe(), combination=views)):
        write_recipe(recipe, tmp_path / "ensemble.yaml", "")
        assert read_recipe(tmp_path / "ensemble.yaml") == recipe
    edit(path, "combination: null", "")
    assert read_recipe(path) == make_recipe()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"share": 0.5}, r"combination.members.0.share is 0.5; expected shares that add up to 1"),
        ({"share": -0.75}, r"combination.members.0.share is -0.75; expected a number above 0"),
        ({"epochs": 0}, r"combination.members.0.epochs is 0; expected a whole number from 1"),
        ({"seed": -1}, r"combination.members.0.seed is -1; expected a whole number from 0"),
        ({"temperature": 0.0}, r"combination.members.0.temperature is 0.0; expected a number abov"),
        ({"model": "cn"}, r'combination.members.0.model is "cn"; expected cnn, a backbone'),
        ({"values": {"filter": 8}}, r"combination.members.0.values.filter is 8; expected nothing"),
    ],
)
def test_member_that_cannot_be_is_named_with_its_line(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    write_recipe(combined(**changes), tmp_path / "ensemble.yaml", "")
    with pytest.raises(ConfigurationError, match=message):
        read_recipe(tmp_path / "ensemble.yaml")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (Combination(), r"combination.members is 0; expected members, or views instead"),
        (Combination(views=(View(down=8),)), r"combination.views.0.down is 8; expected less than"),
    ],
)
def test_combination_of_nothing_or_of_what_lies_outside_is_refused(
    tmp_path: Path, found: Combination, message: str
) -> None:
    write_recipe(replace(make_recipe(), combination=found), tmp_path / "ensemble.yaml", "")
    with pytest.raises(ConfigurationError, match=message):
        read_recipe(tmp_path / "ensemble.yaml")


def test_unknown_key_of_a_member_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "ensemble.yaml"
    write_recipe(combined(), path, "")
    text = path.read_text(encoding="utf-8").replace("trial_id", "trail_id", 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"combination.members.0.trail_id is not a known"):
        read_recipe(path)
