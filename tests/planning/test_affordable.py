"""Which networks a short run skips."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.images import SMALL_CNN, image_spec, training_data
from tuner.models import cnn_size
from tuner.models.registry import complete
from tuner.planning.affordable import (
    MOST_TIMES,
    expense,
    is_expense,
    most_multiply_adds,
    with_cost_limit,
)
from tuner.space.definition import SearchSpaceFile
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.families import together
from tuner.space.parsing.parse import parse_space

DATA = training_data(64, 24)
SPEC = DATA.spec
SMALL = complete("cnn", SMALL_CNN)
MOST = MOST_TIMES * cnn_size.multiply_adds(SMALL, SPEC)
WIDE = image_spec(side=48)
LARGE = {**SMALL, "filters": 10 * SMALL["filters"]}


def space_of(filters: str, head: str = "", rest: str = "") -> SearchSpaceFile:
    text = f"version: 1\n{head}\nspace:\n  filters: {filters}\n{rest}"
    return parse_space(parse_document(text, "my.yaml"))


def limit(file: SearchSpaceFile) -> int | None:
    return with_cost_limit(file, WIDE, seed=0).search.most_multiply_adds


def test_the_limit_is_a_multiple_of_the_usual_networks() -> None:
    usual = complete("cnn", {"filters": 8})
    most = MOST_TIMES * cnn_size.multiply_adds(usual, WIDE)
    assert limit(space_of("{type: int, min: 8, max: 24, prior: 8}")) == most
    for starts in ("[]", "[baseline]", "[baseline, defaults]"):
        file = space_of("{type: int, min: 8, max: 24, prior: 8}", f"start_from: {starts}")
        assert limit(file) == most, "whatever a search begins with"
    file = space_of("{type: int, min: 8, max: 24, prior: 8}", "model: [cnn, efficientnet_lite0]")
    assert limit(replace(file, space=together(file.families))) == most
    assert limit(space_of("{type: int, min: 7, max: 8, prior: 8}")) == most, "whatever is drawn"


def test_without_a_usual_network_that_can_be_built_there_is_no_limit() -> None:
    depth = "  conv_blocks: {type: int, min: 1, max: 8, prior: 8}\n"
    file = space_of("{type: int, min: 8, max: 24, prior: 8}", rest=depth)
    assert most_multiply_adds(file, WIDE) is None
    assert with_cost_limit(file, WIDE, seed=0) is file


def test_a_space_of_large_networks_is_searched_as_it_is() -> None:
    file = space_of("{type: int, min: 8, max: 2048, prior: 8}")
    assert with_cost_limit(file, WIDE, seed=0) is file


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
    assert with_cost_limit(file, WIDE, seed=0) is file


def test_what_takes_many_times_as_long_is_left_out_with_its_reason() -> None:
    reason = expense("cnn", LARGE, SPEC, MOST)
    assert reason is not None
    assert reason.startswith("it takes ")
    assert reason.endswith("million, 4 times those of the usual setting")
    assert is_expense(reason)
    earlier = "it takes 9.0 million multiply-adds an image, more than the 4.0 million that the time"
    assert is_expense(f"{earlier} budget allows"), "of a log that an earlier version wrote"
    assert not is_expense("conv_blocks is 6, but 6 poolings by 2 would shrink 8x8 images")


@pytest.mark.parametrize(
    ("model", "most"), [("cnn", None), ("cnn", 10**12), ("efficientnet_lite0", 1)]
)
def test_all_else_is_affordable(model: str, most: int | None) -> None:
    values = LARGE if model == "cnn" else {}
    assert expense(model, values, SPEC, most) is None
