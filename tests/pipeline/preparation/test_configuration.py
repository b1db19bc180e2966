"""A space and a data set that do not fit each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.samples import make_card
from tuner.data.card import card_folders, load_card
from tuner.data.own.made_card import OWN_DATA
from tuner.errors import ConfigurationError
from tuner.pipeline.preparation.checks import check_flip
from tuner.pipeline.preparation.configuration import space_path
from tuner.pipeline.preparation.weights import check_backbones
from tuner.space.document import parse_document
from tuner.space.parse import load_space, parse_space

CARD = make_card({"type": "npz", "path": "tiny.npz"}, size=8)
SPACES = Path(__file__).parents[3] / "search_spaces"


@pytest.mark.parametrize("flip", ["true", "{type: boolean}", "[false, true]"])
def test_space_that_may_mirror_is_refused_unless_the_card_allows_it(flip: str) -> None:
    file = parse_space(parse_document(f"version: 1\nspace: {{flip: {flip}}}", "my.yaml"))
    check_flip(file, CARD.model_copy(update={"horizontal_flip": True}))
    with pytest.raises(ConfigurationError) as caught:
        check_flip(file, CARD)
    assert (
        caught.value.message
        == f"my.yaml: flip may be true, but datasets/{CARD.name}.yaml says horizontal_flip: false"
    )
    assert (
        caught.value.hint
        == "remove flip from the space; where mirrored images keep their class, set"
        " horizontal_flip: true in the card."
    )


def test_for_data_without_a_card_the_remedy_is_to_write_one() -> None:
    file = parse_space(parse_document("version: 1\nspace: {flip: true}", "my.yaml"))
    with pytest.raises(ConfigurationError) as caught:
        check_flip(file, CARD.model_copy(update={"source": OWN_DATA}))
    assert (
        caught.value.message
        == f"my.yaml: flip may be true, but nothing says that a mirrored image of {CARD.name} keeps"
        " its class"
    )
    assert (
        caught.value.hint
        == "remove flip from the space, or write a card for the data with horizontal_flip: true."
    )


@pytest.mark.parametrize("space", ["{dropout: 0.1}", "{flip: false}"])
def test_space_that_mirrors_nothing_suits_any_card(space: str) -> None:
    check_flip(parse_space(parse_document(f"version: 1\nspace: {space}", "my.yaml")), CARD)


@pytest.mark.parametrize("path", sorted(SPACES.glob("*.yaml")), ids=lambda path: path.stem)
def test_committed_spaces_mirror_only_what_their_cards_allow(path: Path) -> None:
    file = load_space(path)
    check_flip(file, load_card(file.dataset, card_folders()) if file.dataset else CARD)


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (None, "cats_dogs"),
        ("cnn", "cats_dogs"),
        ("my.models:build", "cats_dogs"),
        ("efficientnet_b2", "efficientnet_b2"),
        ("efficientnet_lite2", "efficientnet_b2"),
    ],
)
def test_backbone_brings_a_space_of_its_own(model: str | None, name: str) -> None:
    card = load_card("cats_dogs", card_folders())
    assert space_path(card, None, model).stem == name
    assert space_path(card, Path("mine.yaml"), model) == Path("mine.yaml")


def test_opponent_that_mirrors_is_refused_unless_the_card_allows_it() -> None:
    file = parse_space(parse_document("version: 1\nspace: {}\nbackbone: {flip: true}", "my.yaml"))
    with pytest.raises(
        ConfigurationError, match=r"my.yaml: backbone.flip is true, but datasets/.*: false"
    ):
        check_flip(file, CARD)


def test_set_changes_what_is_said_of_opponents(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("version: 1\nspace: {}\n", encoding="utf-8")
    file = load_space(tmp_path / "my.yaml", ["backbone.input_size=224", "backbone.weights=own.h5"])
    assert file.backbone == {"input_size": 224, "weights": "own.h5"}
    with pytest.raises(ConfigurationError, match=r"backbone.inputsize is not a known key"):
        load_space(tmp_path / "my.yaml", ["backbone.inputsize=224"])


@pytest.mark.parametrize(
    ("backbone", "reason"),
    [
        ("{weights: gone.h5}", 'weights is "gone.h5", but there is no such file'),
        ("{weights: none}", "weights: none leaves nothing that was learnt before"),
    ],
)
def test_opponent_that_cannot_be_built_is_refused_before_anything_is_searched(
    backbone: str, reason: str
) -> None:
    file = parse_space(parse_document(f"version: 1\nspace: {{}}\nbackbone: {backbone}", "my.yaml"))
    with pytest.raises(ConfigurationError) as caught:
        check_backbones(file)
    assert caught.value.message.startswith(f"my.yaml: compare, efficientnet_b2: {reason}")


@pytest.mark.parametrize("weights", ["gone.h5", "[imagenet, gone.h5]"])
def test_backbone_that_is_searched_is_refused_for_weights_that_are_not_there(weights: str) -> None:
    text = f"version: 1\nmodel: efficientnet_b2\nspace: {{weights: {weights}}}\ncompare: []"
    with pytest.raises(ConfigurationError) as caught:
        check_backbones(parse_space(parse_document(text, "my.yaml")))
    assert caught.value.message.startswith(
        'my.yaml: weights is "gone.h5", but there is no such file'
    )
    assert caught.value.hint == "docs/backbones.md says what `weights` may be."
