"""Tests of TensorFlow's own kernels are left out where Keras runs on another backend."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.backend.plain_keras import Predict, plain_keras

_TENSORFLOW_ONLY = ["test_adam.py", "test_batch_normalization.py", "test_tensorflow.py"]

# It sets the backend by itself, and takes long: once is enough.
_ONCE = ["test_without_tensorflow.py"]


@pytest.fixture(scope="package")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Predict]:
    """What plain Keras predicts, in one process for all tests of this package."""
    with plain_keras(tmp_path_factory.mktemp("elsewhere")) as predict:
        yield predict


collect_ignore = [] if os.environ["KERAS_BACKEND"] == "tensorflow" else [*_TENSORFLOW_ONLY, *_ONCE]
