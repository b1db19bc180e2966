"""A space and a data set that do not fit each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.samples import make_card
from tuner.data.cards.card_files import card_folders, load_card
from tuner.data.own.made_card import OWN_DATA
from tuner.errors import ConfigurationError
from tuner.pipeline.preparation.compatibility import check_flip
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import load_space, parse_space

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
    assert caught.value.message == (
        f"my.yaml: flip may be true, but nothing states that a mirrored image of {CARD.name}"
        " keeps its class"
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


def test_opponent_that_mirrors_is_refused_unless_the_card_allows_it() -> None:
    file = parse_space(parse_document("version: 1\nspace: {}\nbackbone: {flip: true}", "my.yaml"))
    with pytest.raises(
        ConfigurationError, match=r"my.yaml: backbone.flip is true, but datasets/.*: false"
    ):
        check_flip(file, CARD)


def test_every_range_of_flip_counts() -> None:
    text = """version: 1
space:
  optimizer: [adam, sgd]
  flip:
    - {type: fixed, value: true, when: {optimizer: adam}}
    - {type: fixed, value: false, when: {optimizer: sgd}}
"""
    with pytest.raises(ConfigurationError, match=r"my.yaml: flip may be true, but datasets/"):
        check_flip(parse_space(parse_document(text, "my.yaml")), CARD)
