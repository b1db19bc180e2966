"""A sample of the random outputs; `make soak` holds 2,000 against what probabilities are."""

from __future__ import annotations

import numpy as np

from tests.soak.fuzz_outputs import wrong


def test_what_is_no_distribution_is_refused_and_what_is_one_passes() -> None:
    assert [
        problem for case in range(200) if (problem := wrong(np.random.default_rng((20, case))))
    ] == []
