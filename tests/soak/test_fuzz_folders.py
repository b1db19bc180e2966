"""A sample of the mixed folders; `make soak` gives the reader all 400."""

from __future__ import annotations

import pytest

from tests.soak.fuzz_folders import run


@pytest.mark.parametrize("number", range(20))
def test_every_file_of_a_mixed_folder_is_accounted_for(number: int) -> None:
    _, end, problem = run(f"sample-{number}")
    assert not problem, f"{end}: {problem}"
