"""Where large networks are skipped, and what says so."""

from __future__ import annotations

import pytest

from tests.images import image_spec
from tuner.models import cnn_size
from tuner.models.registry import complete
from tuner.pipeline.preparation.cost_limit import with_cost_limit
from tuner.planning.affordable import MOST_TIMES
from tuner.space.definition import SearchSpaceFile
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import parse_space

SPEC = image_spec(side=48)


def space_of(filters: str, head: str = "", rest: str = "") -> SearchSpaceFile:
    text = f"version: 1\n{head}\nspace:\n  filters: {filters}\n{rest}"
    return parse_space(parse_document(text, "my.yaml"))


def limit(file: SearchSpaceFile) -> int | None:
    return with_cost_limit(file, SPEC, seed=0).search.most_multiply_adds


def test_the_limit_is_a_multiple_of_the_usual_networks() -> None:
    usual = complete("cnn", {"filters": 8})
    most = MOST_TIMES * cnn_size.multiply_adds(usual, SPEC)
    assert limit(space_of("{type: int, min: 8, max: 24, prior: 8}")) == most
    assert limit(space_of("{type: int, min: 8, max: 24, prior: 8}", "start_from: []")) == most
    assert limit(space_of("{type: int, min: 7, max: 8, prior: 8}")) == most, "whatever is drawn"


def test_a_space_of_large_networks_is_searched_as_it_is() -> None:
    file = space_of("{type: int, min: 8, max: 2048, prior: 8}")
    assert with_cost_limit(file, SPEC, seed=0) is file


def test_what_cannot_be_built_does_not_count_as_within_the_limit() -> None:
    depth = "  conv_blocks: {type: int, min: 1, max: 8, prior: 1}\n"
    file = space_of("{type: int, min: 8, max: 2048, prior: 8}", rest=depth)
    assert limit(file) is None


@pytest.mark.parametrize(
    "head", ["search: {method: grid}", "model: [efficientnet_lite0, efficientnet_lite2]"]
)
def test_a_grid_and_other_families_have_no_limit(head: str) -> None:
    if "model" in head:
        file = parse_space(parse_document(f"version: 1\n{head}\nspace: {{}}", "my.yaml"))
    else:
        file = space_of("[8, 64]", head)
    assert with_cost_limit(file, SPEC, seed=0) is file
