"""Families that are too large are left out of a search, and so are settings to begin with."""

from __future__ import annotations

import pytest

from tests.images import image_spec, tiny_dataset
from tests.pipeline.preparation.test_families import CARD, file_of, names, stating
from tuner.data.cards.card import Card
from tuner.errors import SpaceError
from tuner.pipeline.preparation.constrained import without_too_large
from tuner.pipeline.preparation.start_settings import start_settings
from tuner.space.split_settings import SplitSettings

SPEC = image_spec()
WITH_BASELINE = stating(filters=[4], dense_units=8, dropout=0.0)
# Of EfficientNet-Lite0 without a head.
NETWORK = 3_413_024


def bounds(text: str) -> str:
    return f"constraints: {{{text}}}"


def test_families_whose_smallest_setting_is_too_large_are_left_out_and_told() -> None:
    file = file_of("[cnn, efficientnet_lite0]", bounds('parameters: "<= 1e6"'))
    found = without_too_large(file, SPEC)
    assert names(found.file) == ["cnn"]
    assert found.file.space.parameters[0].choices == ("cnn",)
    (notice,) = found.notices
    assert notice.startswith("efficientnet_lite0 is left out of the search, because 3,41")
    assert notice.endswith("parameters are over the 1,000,000 of constraints.parameters")


def test_where_the_first_family_goes_the_space_is_the_next_ones() -> None:
    file = file_of("[efficientnet_lite2, efficientnet_lite0]", bounds('parameters: "<= 4e6"'))
    assert file.model == "efficientnet_lite2"
    found = without_too_large(file, SPEC)
    assert names(found.file) == ["efficientnet_lite0"]
    assert found.file.model == "efficientnet_lite0"


def test_a_family_with_a_setting_that_fits_stays() -> None:
    file = file_of("[cnn, efficientnet_lite0]", bounds(f'parameters: "<= {NETWORK + 10_000}"'))
    found = without_too_large(file, SPEC)
    assert found.file is file
    assert found.notices == ()


@pytest.mark.parametrize("card", [WITH_BASELINE, CARD], ids=["stated", "the CNN's defaults"])
def test_a_baseline_is_one_network_that_fits_or_is_left_out(card: Card) -> None:
    file = file_of("[baseline, cnn]", bounds('parameters: "<= 100"'), card=card)
    found = without_too_large(file, SPEC)
    assert names(found.file) == ["cnn"]
    assert found.notices[0].startswith("baseline is left out of the search, because ")


def test_latency_is_known_of_no_family_beforehand() -> None:
    file = file_of("[cnn, efficientnet_lite0]", bounds('latency_ms: "<= 1e-6"'))
    assert without_too_large(file, SPEC).file is file


def test_no_family_left_is_refused_with_the_nearest() -> None:
    file = file_of("[efficientnet_lite2, efficientnet_lite0]", bounds('file_mb: "<= 1"'))
    with pytest.raises(SpaceError) as caught:
        without_too_large(file, SPEC)
    assert caught.value.message.startswith(
        "my.yaml: no family meets the constraints; the nearest: a file of 13.7 MB is over the 1 MB"
    )


def test_starts_that_break_a_constraint_are_left_out_and_told() -> None:
    file = file_of("cnn", f"start_from: [baseline, defaults]\n{bounds('parameters: <= 100')}")
    found = start_settings(file, WITH_BASELINE, tiny_dataset(), SplitSettings(seed=0))
    assert found.settings == ()
    assert [notice.partition(" is left out, because ")[0] for notice in found.notices] == [
        "start_from: baseline",
        "start_from: defaults",
    ]
    assert all("over the 100 of constraints.parameters" in notice for notice in found.notices)
