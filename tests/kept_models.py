"""Models that the tests of a process train in turn, and a fixture that gives them to its runs.

In a conftest.py, or in a module: `from tests.kept_models import kept_models`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tuner.training.prepared import PreparedModels

# Models that one run has traced serve the next, in whichever package: tracing is most of a tiny
# run. tests/training/test_prepared.py checks that they train as fresh ones do, to the last bit.
KEPT_MODELS = PreparedModels()


@pytest.fixture(scope="package", autouse=True)
def kept_models() -> Iterator[None]:
    """Every inline executor of these tests trains with the models that are kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tuner.execution.inline.PreparedModels", lambda: KEPT_MODELS)
        yield
