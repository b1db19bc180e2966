"""Test images that a report shows; the pictures themselves are files in the run's folder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One test image with what the winner's kept model says of it.

    Attributes:
        origin: The file or row that it comes from.
        truth: Number of its class.
        predicted: Number of the most probable class.
        confidence: Probability of that class.
        truth_probability: Probability of its own class.
        picture: File in `gallery/`: a small picture of it.
        saliency: File in `gallery/`: what spoke for the prediction (Grad-CAM), drawn over it; None
            where there is none.
    """

    origin: str
    truth: int
    predicted: int
    confidence: float
    truth_probability: float
    picture: str
    saliency: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """Test images worth a look.

    Attributes:
        n_mistakes: Mistakes in all.
        mistakes: The most confident ones, the most confident first.
        uncertain: Images with the lowest confidence, right or wrong, the lowest first; none of
            `mistakes`.
        layer: Convolution whose activations the saliency maps show; None where there are no maps.
        reason: Why there are no maps; empty otherwise.
        map_size: Rows and columns of a map before it is enlarged; None where there are no maps.
    """

    n_mistakes: int
    mistakes: tuple[Shown, ...]
    uncertain: tuple[Shown, ...]
    layer: str | None
    reason: str
    map_size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationRow:
    """One image of one class with what the convolutions make of it.

    Attributes:
        truth: Number of its class.
        origin: The file or row that it comes from.
        picture: File in `gallery/`.
        maps: Files in `gallery/`, one per layer: the activation maps of its first channels, side by
            side.
    """

    truth: int
    origin: str
    picture: str
    maps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationMaps:
    """What the winner's first convolutions see.

    Attributes:
        layers: Names of the layers, in order.
        n_channels: Channels shown of each layer, and how many it has.
        rows: One image per class, of at most so many classes as fit on a page.
        n_classes: Classes in all.
    """

    layers: tuple[str, ...]
    n_channels: tuple[tuple[int, int], ...]
    rows: tuple[ActivationRow, ...]
    n_classes: int
