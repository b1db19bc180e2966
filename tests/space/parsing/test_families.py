"""`model:` of a space as a list of families, and its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.space.parsing.mistakes import in_space, mistakes
from tuner.errors import ConfigurationError
from tuner.space.definition import SearchSpaceFile
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import load_space, parse_space

MISTAKES = {
    "[]": "my.yaml:2: model names no family.\n  Fix: name one, such as cnn.",
    "[cnn, 5]": "my.yaml:2: model.1 is 5; expected text.",
    "5": "my.yaml:2: model is 5; expected text, or a list of families.",
    "[cnn, eficientnet_lite2]": (
        'my.yaml:2: model.1 is "eficientnet_lite2"; expected cnn, baseline or a backbone such as'
        ' efficientnet_lite2.\n  Fix: did you mean "efficientnet_lite2"?'
    ),
    "[cnn, baseline, cnn]": (
        'my.yaml:2: model.2 is "cnn", which is in the list already.\n  Fix: delete one of the two.'
    ),
    "[cnn, mine.models:build]": (
        'my.yaml:2: model.1 is "mine.models:build"; a builder of your own is searched alone.\n'
        "  Fix: write model: mine.models:build"
    ),
    "[auto, cnn]": (
        'my.yaml:2: model.0 is "auto", which stands for a list of its own.\n'
        "  Fix: write model: auto"
    ),
    "[baseline]": (
        "my.yaml:2: model names baseline alone, which leaves nothing to search.\n"
        "  Fix: add cnn or a backbone to the list."
    ),
}


@pytest.mark.parametrize(("model", "message"), MISTAKES.items())
def test_mistakes_of_a_list(model: str, message: str) -> None:
    assert mistakes(f"version: 1\nmodel: {model}\nspace: {{}}") == message


def test_no_hyperparameter_of_a_built_in_family_is_called_model() -> None:
    assert in_space("model: [cnn, efficientnet_lite2]", head="model: [cnn, baseline]") == (
        "my.yaml:4: space.model is not a hyperparameter of cnn.\n"
        "  Fix: families are listed at the top of the file: model: [cnn, efficientnet_lite2]."
    )


def test_conditions_on_the_family_are_refused() -> None:
    assert in_space(
        "dropout: {type: float, min: 0.1, max: 0.5, when: {model: cnn}}",
        head="model: [cnn, baseline]",
    ) == (
        "my.yaml:4: space.dropout.when.model is not a parameter of this space.\n  Fix: remove it:"
        " all hyperparameters under space belong to one family."
    )


def parsed(head: str, space: str = "{}") -> SearchSpaceFile:
    return parse_space(parse_document(f"version: 1\n{head}\nspace: {space}", "my.yaml"))


@pytest.mark.parametrize(
    ("model", "space", "owner", "having"),
    [
        ("[baseline, efficientnet_lite2, cnn]", "{conv_blocks: 2}", "cnn", ["cnn"]),
        (
            "[baseline, efficientnet_lite2, efficientnet_lite0]",
            "{input_size: 64}",
            "efficientnet_lite2",
            ["efficientnet_lite2", "efficientnet_lite0"],
        ),
    ],
)
def test_the_files_space_is_the_cnns_else_that_of_all_backbones(
    model: str, space: str, owner: str, having: list[str]
) -> None:
    file = parsed(f"model: {model}", space)
    assert file.model == owner
    assert [family.name for family in file.families if family.space.fixed] == having


@pytest.mark.parametrize("model", ["cnn", "[cnn]", "auto"])
def test_one_name_is_no_list(model: str) -> None:
    file = parsed(f"model: {model}", "{conv_blocks: 2}")
    assert (file.model, file.families) == ("cnn", ())


def test_space_of_a_list_is_judged_by_its_owner() -> None:
    assert in_space("input_size: 96", head="model: [cnn, efficientnet_lite2]").startswith(
        "my.yaml:4: space.input_size is not a hyperparameter of cnn."
    )


def test_the_family_is_something_to_search(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("version: 1\nspace: {conv_blocks: 2}\nsearch: {method: bayesian}\n")
    file = load_space(path, ["model=[baseline, cnn]"])
    assert [family.name for family in file.families] == ["baseline", "cnn"]


def test_names_on_the_command_line_are_parted_by_commas(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("version: 1\nspace: {conv_blocks: 2}\n")
    file = load_space(path, ["space.dropout=0.5"], "cnn, efficientnet_lite2")
    assert [family.name for family in file.families] == ["cnn", "efficientnet_lite2"]
    assert file.families[0].space.fixed == {"conv_blocks": 2, "dropout": 0.5}


def test_set_of_what_another_family_alone_has_says_how_to_reach_it(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("version: 1\nmodel: [cnn, efficientnet_b2]\nspace: {dropout: [0.1, 0.2]}\n")
    with pytest.raises(ConfigurationError) as caught:
        load_space(path, ["space.unfreeze_blocks=2"])
    assert caught.value.message == (
        "--set space.unfreeze_blocks=2: space.unfreeze_blocks is a hyperparameter of"
        " efficientnet_b2, which is searched in a space of its own; `space` has those of cnn."
    )
    assert caught.value.hint == (
        "search it alone: --model efficientnet_b2 --set space.unfreeze_blocks=..."
    )
    with pytest.raises(ConfigurationError, match=r"space\.unfreze is not a known key"):
        load_space(path, ["space.unfreze=2"])
