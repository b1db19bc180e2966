"""A sample of the kill matrix, each victim with one worker and with two.

`make soak` runs all 200 cases.
"""

from __future__ import annotations

import pytest

from tests.soak.samples import check_sample

pytestmark = pytest.mark.slow


def test_killed_searches_go_on_to_the_same_trials() -> None:
    check_sample("kill_matrix", 6, "--fakes", "6", "--real", "0")
