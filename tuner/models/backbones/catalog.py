"""Which backbones there are, and what their layers are called; imports no Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbone:
    """A network without its classifier.

    Attributes:
        name: In spaces and on the command line.
        title: In tables and texts.
        application: Its function in `keras.applications`; empty for EfficientNet-Lite and DINOv2,
            which are none of them.
        input_size: Pixels of a side that it was made for.
        n_features: Features per image, after pooling.
        blocks: What the names of a block's layers begin with, from the top block down. A block is a
            stage of the network, between two changes of the maps' size or number; of a transformer,
            one attention and what follows it.
        top: What the names of the layers after the last block begin with.
        has_lost_rescaling: Whether Keras leaves out a layer of it unless Keras itself downloads the
            weights.
        patch: Pixels of a side that a transformer reads as one token; 1 for a convolutional
            network, which takes images of any size.
        pretrained_on: Images of the weights that `imagenet` stands for.
    """

    name: str
    title: str
    application: str
    input_size: int
    n_features: int
    blocks: tuple[tuple[str, ...], ...]
    top: str = "top_"
    has_lost_rescaling: bool = False
    patch: int = 1
    pretrained_on: str = "ImageNet"

    def side(self, input_size: int) -> int:
        """Pixels of a side that an `input_size` comes to: rounded down to whole patches."""
        return input_size // self.patch * self.patch

    def is_unfrozen(self, layer_name: str, n_blocks: int) -> bool:
        """Whether a layer is in the `n_blocks` top blocks.

        What follows the last block belongs to that one.
        """
        if layer_name.startswith(self.top):
            return n_blocks > 0
        return any(layer_name.startswith(names) for names in self.blocks[:n_blocks])


def is_frozen(values: Mapping[str, Any]) -> bool:
    """Whether a complete setting trains a head alone, on a network that stays as it was."""
    return values["weights"] != "none" and values["unfreeze_blocks"] == 0


def is_fine_tuned(values: Mapping[str, Any]) -> bool:
    """Whether a complete setting trains the top blocks of a network that has learnt before."""
    return values["weights"] != "none" and values["unfreeze_blocks"] > 0


def _blocks(n: int) -> tuple[tuple[str, ...], ...]:
    return tuple((f"block{i}",) for i in range(n, 0, -1))


def _efficientnet(i: int, input_size: int, n_features: int) -> Backbone:
    """One of EfficientNet's eight sizes (Tan and Le, ICML 2019)."""
    return Backbone(
        name=f"efficientnet_b{i}",
        title=f"EfficientNetB{i}",
        application=f"EfficientNetB{i}",
        input_size=input_size,
        n_features=n_features,
        blocks=_blocks(7),
        has_lost_rescaling=True,
    )


def _efficientnet_v2(size: str, input_size: int, n_features: int) -> Backbone:
    """One of EfficientNetV2's five small sizes (Tan and Le, ICML 2021)."""
    return Backbone(
        name=f"efficientnet_v2_{size.lower()}",
        title=f"EfficientNetV2{size}",
        application=f"EfficientNetV2{size}",
        input_size=input_size,
        n_features=n_features,
        blocks=_blocks(6),
    )


def _efficientnet_lite(i: int, input_size: int) -> Backbone:
    """One of EfficientNet-Lite's sizes (TensorFlow's model garden, 2020)."""
    return Backbone(
        name=f"efficientnet_lite{i}",
        title=f"EfficientNet-Lite{i}",
        application="",
        input_size=input_size,
        n_features=1280,
        blocks=_blocks(7),
    )


def _mobilenet_v3(size: str, n_features: int, stages: tuple[tuple[int, ...], ...]) -> Backbone:
    """One of MobileNetV3's two sizes (Howard et al., ICCV 2019), given the blocks of its stages."""
    # Keras numbers all blocks but the first, whose name is the beginning of all others'.
    first = ("expanded_conv_depthwise", "expanded_conv_squeeze", "expanded_conv_project")
    return Backbone(
        name=f"mobilenet_v3_{size.lower()}",
        title=f"MobileNetV3{size}",
        application=f"MobileNetV3{size}",
        input_size=224,
        n_features=n_features,
        blocks=(*(tuple(f"expanded_conv_{i}_" for i in stage) for stage in stages[::-1]), first),
        top="conv_1",
    )


def _convnext(size: str, n_features: int) -> Backbone:
    """One of ConvNeXt's sizes (Liu et al., CVPR 2022); LayerNormalization alone, and no dropout."""
    name = f"convnext_{size.lower()}"
    return Backbone(
        name=name,
        title=f"ConvNeXt{size}",
        application=f"ConvNeXt{size}",
        input_size=224,
        n_features=n_features,
        # The convolution that halves the maps before a stage belongs to it; the first has the stem.
        blocks=(
            *((f"{name}_stage_{i}_", f"{name}_downsampling_block_{i - 1}") for i in (3, 2, 1)),
            (f"{name}_stage_0_",),
        ),
        # Keras gives this one no name of its own.
        top="layer_normalization",
    )


def _dinov2(size: str, n_features: int) -> Backbone:
    """One of DINOv2's two smaller sizes (Oquab et al., TMLR 2024), without registers."""
    return Backbone(
        name=f"dinov2_{size.lower()}",
        title=f"DINOv2-{size}",
        application="",
        # Of most of its training; the end was at 518.
        input_size=224,
        n_features=n_features,
        blocks=tuple((f"block{i}_",) for i in range(12, 0, -1)),
        patch=14,
        pretrained_on="LVD-142M",
    )


BACKBONES: Mapping[str, Backbone] = MappingProxyType(
    {
        backbone.name: backbone
        for backbone in (
            _efficientnet(0, 224, 1280),
            _efficientnet(1, 240, 1280),
            _efficientnet(2, 260, 1408),
            _efficientnet(3, 300, 1536),
            _efficientnet(4, 380, 1792),
            _efficientnet(5, 456, 2048),
            _efficientnet(6, 528, 2304),
            _efficientnet(7, 600, 2560),
            _efficientnet_v2("B0", 224, 1280),
            _efficientnet_v2("B1", 240, 1280),
            _efficientnet_v2("B2", 260, 1408),
            _efficientnet_v2("B3", 300, 1536),
            _efficientnet_v2("S", 384, 1280),
            _efficientnet_lite(0, 224),
            _efficientnet_lite(2, 260),
            _mobilenet_v3("Small", 576, ((1, 2), (3, 4, 5), (6, 7), (8, 9, 10))),
            _mobilenet_v3("Large", 960, ((1, 2), (3, 4, 5), (6, 7, 8, 9), (10, 11), (12, 13, 14))),
            _convnext("Tiny", 768),
            _dinov2("Small", 2 * 384),
            _dinov2("Base", 2 * 768),
        )
    }
)
