"""Which backbones there are, and what their layers are called; imports no Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbone:
    """A convolutional network without its classifier.

    Attributes:
        name: In spaces and on the command line.
        title: In tables and texts.
        application: Its function in `keras.applications`; empty for EfficientNet-Lite2, which is
            none of them.
        n_features: Features per image, after pooling.
        blocks: What the names of a block's layers begin with, from the top block down.
        has_lost_rescaling: Whether Keras leaves out a layer of it unless Keras itself downloads the
            weights.
    """

    name: str
    title: str
    application: str
    n_features: int
    blocks: tuple[str, ...]
    has_lost_rescaling: bool

    def is_unfrozen(self, layer_name: str, n_blocks: int) -> bool:
        """Whether a layer is in the `n_blocks` top blocks.

        What follows the last block belongs to that one.
        """
        if layer_name.startswith("top_"):
            return n_blocks > 0
        return layer_name.startswith(self.blocks[:n_blocks])


def is_frozen(values: Mapping[str, Any]) -> bool:
    """Whether a complete setting trains a head alone, on a network that stays as it was."""
    return values["weights"] != "none" and values["unfreeze_blocks"] == 0


def is_fine_tuned(values: Mapping[str, Any]) -> bool:
    """Whether a complete setting trains the top blocks of a network that has learnt before."""
    return values["weights"] != "none" and values["unfreeze_blocks"] > 0


def _blocks(n: int) -> tuple[str, ...]:
    return tuple(f"block{i}" for i in range(n, 0, -1))


def _efficientnet(i: int, n_features: int) -> Backbone:
    """One of EfficientNet's eight sizes (Tan and Le, ICML 2019)."""
    return Backbone(
        name=f"efficientnet_b{i}",
        title=f"EfficientNetB{i}",
        application=f"EfficientNetB{i}",
        n_features=n_features,
        blocks=_blocks(7),
        has_lost_rescaling=True,
    )


def _efficientnet_v2(i: int, n_features: int) -> Backbone:
    """One of EfficientNetV2's four small sizes (Tan and Le, ICML 2021)."""
    return Backbone(
        name=f"efficientnet_v2_b{i}",
        title=f"EfficientNetV2B{i}",
        application=f"EfficientNetV2B{i}",
        n_features=n_features,
        blocks=_blocks(6),
        has_lost_rescaling=False,
    )


_LITE2 = Backbone(
    name="efficientnet_lite2",
    title="EfficientNet-Lite2",
    application="",
    n_features=1280,
    blocks=_blocks(7),
    has_lost_rescaling=False,
)

BACKBONES: Mapping[str, Backbone] = MappingProxyType(
    {
        backbone.name: backbone
        for backbone in (
            *(
                _efficientnet(i, n)
                for i, n in enumerate((1280, 1280, 1408, 1536, 1792, 2048, 2304, 2560))
            ),
            *(_efficientnet_v2(i, n) for i, n in enumerate((1280, 1280, 1408, 1536))),
            _LITE2,
        )
    }
)
