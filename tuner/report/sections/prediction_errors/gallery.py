"""Part of "Errors": test images worth a look, and what the winner's first convolutions see."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from tuner.records.pictures import ActivationMaps, Shown
from tuner.report.reported_run import ReportedRun
from tuner.report.text import without_folders

# Of all pictures together, as they stand in the page.
MAX_BYTES = 1_500_000
# Pixels of the page. Small pictures are enlarged by whole numbers up to it, so that every pixel
# stays a square.
_SIDE, _STRIP_WIDTH = 96, 208
# Far more than a run draws.
_MOST_PIXELS = 4_000_000
_MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPicture:
    """A picture as the page holds it.

    Attributes:
        source: Data URI.
        width: Pixels of the page.
        height: Pixels of the page.
    """

    source: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryImage:
    """One image with what the winner says of it.

    Attributes:
        origin: The file or row that it comes from.
        truth: Name of its class.
        predicted: Name of the most probable class.
        is_right: Whether the two are the same class.
        confidence: Probability of the predicted class.
        truth_probability: Probability of its own class.
        picture: It; None where the run has lost the file.
        saliency: Its saliency map; None where there is none.
    """

    origin: str
    truth: str
    predicted: str
    is_right: bool
    confidence: float
    truth_probability: float
    picture: EmbeddedPicture | None
    saliency: EmbeddedPicture | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMaps:
    """One class' image with its activation maps.

    Attributes:
        name: The class.
        origin: The file or row that the image comes from.
        picture: The image; None where the run has lost the file.
        maps: One per layer; None where the run has lost the file.
    """

    name: str
    origin: str
    picture: EmbeddedPicture | None
    maps: tuple[EmbeddedPicture | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer whose maps are shown.

    Attributes:
        name: Its name.
        n_shown: Channels shown.
        n_channels: Channels that it has.
    """

    name: str
    n_shown: int
    n_channels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """All pictures of the page.

    Attributes:
        n_mistakes: Mistakes in all.
        mistakes: The most confident ones, the most confident first.
        uncertain: Images with the lowest confidence, the lowest first.
        n_without: Images and classes of the run left out of all these, since their pictures would
            make the page too large.
        layer: Convolution that the saliency maps belong to; None where there are no maps.
        map_size: Rows and columns of a map before it is enlarged.
        reason: Why there are no maps; empty otherwise.
        layers: The first convolutions.
        classes: What they see, by class.
        n_classes: Classes in all.
    """

    n_mistakes: int
    mistakes: tuple[GalleryImage, ...]
    uncertain: tuple[GalleryImage, ...]
    n_without: int
    layer: str | None
    map_size: tuple[int, int] | None
    reason: str
    layers: tuple[Layer, ...]
    classes: tuple[ClassMaps, ...]
    n_classes: int


class PictureBudget:
    """A run's pictures by file name, handed out as long as there is room in the page."""

    def __init__(self, files: Mapping[str, bytes], room_bytes: int | None = None) -> None:
        """Begin with all of the room, `MAX_BYTES` where nothing is said."""
        self._files, self._room = files, MAX_BYTES if room_bytes is None else room_bytes

    def take(self, *names: str | None) -> bool:
        """Make room for some files.

        Returns False, for these and all that follow, where there is not enough.
        """
        # Base64 writes three bytes as four letters.
        self._room -= sum(len(self._files.get(name or "", b"")) * 4 // 3 for name in names)
        return self._room >= 0

    def picture(self, name: str | None, side: int = _SIDE) -> EmbeddedPicture | None:
        """A file as a picture, enlarged up to `side`.

        None where there is none, or it is no whole PNG or JPEG.
        """
        content = self._files.get(name or "", b"")
        try:
            with warnings.catch_warnings(action="ignore"), _opened(content) as image:
                (width, height), kind = image.size, image.format or ""
                if width * height > _MOST_PIXELS:
                    return None
                image.load()
        except Exception:
            # Pillow's readers raise whatever a damaged file makes them stumble over.
            return None
        scale = max(1, side // max(width, height))
        source = f"data:{_MEDIA_TYPES[kind]};base64,{base64.b64encode(content).decode()}"
        return EmbeddedPicture(source=source, width=scale * width, height=scale * height)


def _opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content), formats=list(_MEDIA_TYPES))


def context(reported: ReportedRun) -> dict[str, Any] | None:
    """What the template is given; None where no model was tested."""
    return (
        {"gallery": compute(reported)}
        if any(model.runs for model in reported.results.models)
        else None
    )


def compute(reported: ReportedRun) -> Pictures | None:
    """The pictures that fit into the page, mistakes first; None for a run without a gallery."""
    gallery, activations = reported.results.gallery, reported.results.activations
    if gallery is None:
        return None
    names, budget = reported.results.data.class_names, PictureBudget(reported.pictures)
    mistakes = _figures(gallery.mistakes, names, budget)
    uncertain = _figures(gallery.uncertain, names, budget)
    classes = _class_maps(activations, names, budget)
    n_all = (
        len(gallery.mistakes)
        + len(gallery.uncertain)
        + (len(activations.rows) if activations else 0)
    )
    return Pictures(
        n_mistakes=gallery.n_mistakes,
        mistakes=mistakes,
        uncertain=uncertain,
        n_without=n_all - len(mistakes) - len(uncertain) - len(classes),
        layer=gallery.layer,
        map_size=gallery.map_size,
        reason=gallery.reason,
        layers=_layers(activations),
        classes=classes,
        n_classes=len(names),
    )


def _figures(
    images: tuple[Shown, ...], names: tuple[str, ...], budget: PictureBudget
) -> tuple[GalleryImage, ...]:
    return tuple(
        GalleryImage(
            origin=without_folders(image.origin),
            truth=names[image.truth],
            predicted=names[image.predicted],
            is_right=image.truth == image.predicted,
            confidence=image.confidence,
            truth_probability=image.truth_probability,
            picture=budget.picture(image.picture),
            saliency=budget.picture(image.saliency),
        )
        for image in images
        if budget.take(image.picture, image.saliency)
    )


def _class_maps(
    activations: ActivationMaps | None, names: tuple[str, ...], budget: PictureBudget
) -> tuple[ClassMaps, ...]:
    return tuple(
        ClassMaps(
            name=names[row.truth],
            origin=without_folders(row.origin),
            picture=budget.picture(row.picture),
            maps=tuple(budget.picture(name, _STRIP_WIDTH) for name in row.maps),
        )
        for row in (activations.rows if activations else ())
        if budget.take(row.picture, *row.maps)
    )


def _layers(activations: ActivationMaps | None) -> tuple[Layer, ...]:
    if activations is None:
        return ()
    return tuple(
        Layer(name=name, n_shown=shown, n_channels=n)
        for name, (shown, n) in zip(activations.layers, activations.n_channels, strict=True)
    )
