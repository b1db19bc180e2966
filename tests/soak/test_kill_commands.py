"""A sample of the killed commands; `make soak` kills 246 of them."""

from __future__ import annotations

import pytest

from tests.soak.samples import check_sample

pytestmark = pytest.mark.slow


def test_killed_commands_leave_nothing_half_written_and_nothing_behind() -> None:
    check_sample("kill_commands", 6, "--fakes", "6", "--real", "0")
