"""What a time budget leaves room for."""

from __future__ import annotations

import pytest

from tests.images import SMALL_CNN, training_data
from tuner.models import cnn_size
from tuner.models.registry import complete
from tuner.planning.affordable import (
    MOST_TIMES,
    expense,
    is_expense,
    most_multiply_adds,
)

DATA = training_data(64, 24)
SPEC = DATA.spec
SMALL = complete("cnn", SMALL_CNN)
MOST = MOST_TIMES * cnn_size.multiply_adds(SMALL, SPEC)
LARGE = {**SMALL, "filters": 10 * SMALL["filters"]}


def limit(**starts: dict[str, object]) -> int | None:
    return most_multiply_adds([(name, "cnn", one) for name, one in starts.items()], SPEC)


def test_the_spaces_defaults_are_usual_whatever_else_a_search_begins_with() -> None:
    assert limit(baseline=LARGE, defaults=SMALL) == MOST
    assert limit(earlier=SMALL, defaults=LARGE) == MOST_TIMES * cnn_size.multiply_adds(LARGE, SPEC)
    assert limit(baseline=SMALL) == MOST, "the defaults are the baseline's"


def test_without_a_usual_setting_of_the_family_there_is_no_limit() -> None:
    assert limit() is None
    assert limit(earlier=SMALL) is None
    assert most_multiply_adds([("baseline", "sigmoid_cnn", {})], SPEC) is None


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
