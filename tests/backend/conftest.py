"""Tests of TensorFlow's own kernels are left out where Keras runs on another backend."""

from __future__ import annotations

import os

_TENSORFLOW_ONLY = ["test_adam.py", "test_batch_normalization.py", "test_tensorflow.py"]

# It sets the backend by itself, and takes long: once is enough.
_ONCE = ["test_without_tensorflow.py"]

collect_ignore = [] if os.environ["KERAS_BACKEND"] == "tensorflow" else [*_TENSORFLOW_ONLY, *_ONCE]
