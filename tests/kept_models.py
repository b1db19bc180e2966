"""A fixture for tests that train in this process: `from tests.kept_models import kept_models`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tuner.training.prepared import PreparedModels


@pytest.fixture(scope="package", autouse=True)
def kept_models() -> Iterator[None]:
    """Models that one run has traced serve the next: tracing is most of a tiny run.

    tests/training/test_prepared.py checks that they train as fresh ones do, to the last bit.
    """
    with pytest.MonkeyPatch.context() as patch:
        models = PreparedModels()
        patch.setattr("tuner.execution.inline.PreparedModels", lambda: models)
        yield
