"""A fixture for tests of what stands on a page: `from tests.report.drawn_once import drawn_once`.

Drawing is most of a page's time, and hundreds of tests draw the same charts. What charts look like,
and that they are drawn the same way each time, is tested where this is not used.
"""

from __future__ import annotations

from collections.abc import Iterator

import cloudpickle
import pytest

from tuner.report.charts.figures import Chart

_DRAWN: dict[bytes, str] = {}
_draw = Chart.__html__


@pytest.fixture(scope="module", autouse=True)
def drawn_once() -> Iterator[None]:
    """A chart of the same texts, numbers and functions is drawn once in a process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Chart, "__html__", _drawn)
        yield


def _drawn(chart: Chart) -> str:
    key = cloudpickle.dumps(chart)
    if key not in _DRAWN:
        _DRAWN[key] = _draw(chart)
    return _DRAWN[key]
