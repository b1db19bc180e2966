from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg
from threadpoolctl import threadpool_info, threadpool_limits

from tests.search.fakes import by_x, drive, make_study
from tests.search.test_proposals import HILL
from tuner.search.methods import curve_model
from tuner.search.methods.one_core import on_one_core
from tuner.space.search_settings import SearchSettings


def threads() -> list[int]:
    """Of each library of linear algebra, and of OpenMP."""
    return [library["num_threads"] for library in threadpool_info()]


def test_linear_algebra_has_one_thread_and_then_as_many_as_before() -> None:
    scipy.linalg.cholesky(np.eye(2))
    with threadpool_limits(limits=2):
        assert 2 in threads()
        with on_one_core():
            assert set(threads()) == {1}
        assert 2 in threads()


def test_a_search_fits_its_model_on_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    whole = curve_model.half_ranked

    def half_ranked(goodness: Any) -> Any:
        seen.extend(threads())
        return whole(goodness)

    monkeypatch.setattr(curve_model, "half_ranked", half_ranked)
    settings = SearchSettings(
        method="model_hyperband", max_epochs=9, factor=3, iterations=1, max_total_epochs=60
    )
    with threadpool_limits(limits=2):
        drive(make_study(HILL, search=settings), by_x)
    assert set(seen) == {1}
