"""What becomes of values of more than 8 bits is told, and where half of the range is unused."""

from __future__ import annotations

import numpy as np
import pytest

from tuner.doctor.data_page import render

from .samples import codes, data, find, look

LABELS = [0, 1] * 20


def deep(highest: float, lowest: float = 0.0) -> dict[str, object]:
    return {"mode": "I;16", "bits": 16, "lowest": lowest, "highest": highest}


def test_range_of_the_set_is_told() -> None:
    images = data(LABELS, files={0: deep(4095), 1: deep(3000)}, value_range=(0.0, 4095.0))
    found = find(images, "value-range")
    assert found.severity == "info"
    assert found.summary == "2 of 40 files hold more than 8 bits: 0 to 4,095 becomes 0 to 255."
    assert found.meaning.endswith(" Files of 8 bits keep their values.")
    assert [one.note for (one,) in found.examples] == ["0 to 4095", "0 to 3000"]
    assert "half-range" not in codes(images)


@pytest.mark.parametrize(
    ("values", "is_told"), [([65535, 900, 800], True), ([65535, 900, 60000], False), ([900], True)]
)
def test_range_of_which_most_files_use_less_than_half_is_warned_of(
    values: list[float], is_told: bool
) -> None:
    files = {i: deep(value) for i, value in enumerate(values)}
    images = data(LABELS, files=files, value_range=(0.0, 65535.0))
    assert ("half-range" in codes(images)) is is_told
    if is_told:
        found = find(images, "half-range")
        n_dark = sum(value < 1000 for value in values)
        assert found.severity == "warning"
        assert found.summary == f"{n_dark} of 40 files use less than half of the range 0 to 65,535."


def test_values_that_a_stated_range_cuts_off_are_warned_of() -> None:
    images = data(
        LABELS, files={0: deep(4095), 1: deep(1020), 2: deep(1000, -500)}, value_range=(0.0, 1023.0)
    )
    found = find(images, "beyond-range")
    assert found.severity == "warning"
    assert found.summary == "2 of 40 files hold values outside 0 to 1,023, which are cut off."


@pytest.mark.parametrize(("brightest", "severity"), [(255, "info"), (15, "warning")])
def test_colours_of_16_bits_are_told(brightest: int, severity: str) -> None:
    pixels = np.minimum(data(LABELS).images[:], brightest)
    images = data(LABELS, files={0: {"bits": 16}, 1: {"bits": 16}}, images=pixels)
    found = find(images, "wide-colours")
    assert found.severity == severity
    assert (
        found.summary
        == "2 of 40 files hold 16 bits of each channel, of which the upper 8 are read: 0 to 65,535"
        " becomes 0 to 255."
    )
    assert ("few of the 256 levels" in found.meaning) is (severity == "warning")


@pytest.mark.parametrize(
    "files",
    [{0: deep(4095), 1: deep(900)}, {0: {"bits": 16}}],
)
def test_every_finding_has_its_heading_on_the_page(files: dict[int, dict[str, object]]) -> None:
    images = data(LABELS, files=files, value_range=(0.0, 2000.0))
    html = render(look(images), images.images)
    assert ("Values outside the range" in html) is (0 in files and "highest" in files[0])
