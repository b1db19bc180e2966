"""Weights that are not there are refused before anything is searched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.samples import make_card
from tuner.errors import ConfigurationError
from tuner.pipeline.preparation.starting_weights import check_backbones
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import parse_space

CARD = make_card({"type": "npz", "path": "tiny.npz"}, size=8)
SPACES = Path(__file__).parents[3] / "search_spaces"


@pytest.mark.parametrize(
    ("backbone", "reason"),
    [
        ("{weights: gone.h5}", 'weights is "gone.h5", but there is no such file'),
        ("{weights: none}", "weights: none means that no part is pretrained"),
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
