"""What a time budget leaves room for."""

from __future__ import annotations

import pytest

from tests.images import SMALL_CNN, training_data
from tuner.models import cnn_size
from tuner.models.registry import complete
from tuner.planning.affordable import MOST_TIMES, expense, is_expense, most_multiply_adds
from tuner.planning.candidates import candidate_of

DATA = training_data(64, 24)
SPEC = DATA.spec
SMALL = complete("cnn", SMALL_CNN)
LARGE = {**SMALL, "filters": 10 * SMALL["filters"]}


def test_the_cheapest_of_the_known_settings_is_the_usual_one() -> None:
    starts = [
        candidate_of(str(number), "cnn", one, DATA) for number, one in enumerate([LARGE, SMALL])
    ]
    assert most_multiply_adds(starts) == MOST_TIMES * cnn_size.multiply_adds(SMALL, SPEC)


def test_without_a_known_setting_of_the_family_nothing_is_usual() -> None:
    assert most_multiply_adds([]) is None
    assert most_multiply_adds([candidate_of("baseline", "sigmoid_cnn", {}, DATA)]) is None


def test_what_takes_many_times_as_long_is_left_out_with_its_reason() -> None:
    most = MOST_TIMES * cnn_size.multiply_adds(SMALL, SPEC)
    reason = expense("cnn", LARGE, SPEC, most)
    assert reason is not None
    assert reason.startswith("it takes ")
    assert reason.endswith("million that the time budget allows")
    assert is_expense(reason)
    assert not is_expense("conv_blocks is 6, but 6 poolings by 2 would shrink 8x8 images")


@pytest.mark.parametrize(
    ("model", "most"), [("cnn", None), ("cnn", 10**12), ("efficientnet_lite0", 1)]
)
def test_all_else_is_affordable(model: str, most: int | None) -> None:
    values = LARGE if model == "cnn" else {}
    assert expense(model, values, SPEC, most) is None
