"""The tiny network as one of keras.applications, and its weights as a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import pytest

from tests.models.backbones.networks import notop, tiny_efficientnet, write_h5


@pytest.fixture(autouse=True, scope="module")
def _tiny_application() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.applications, "TinyEfficientNet", tiny_efficientnet, raising=False)
        yield


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny network's weights without its top, as Keras would download them."""
    return write_h5(notop(tiny_efficientnet), tmp_path_factory.mktemp("weights") / "tiny_notop.h5")
