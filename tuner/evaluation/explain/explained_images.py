"""Test images worth a look: confident mistakes, uncertain images, saliency and activation maps."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

import keras
import numpy as np

from tuner.data.decoding.streaming import Indexed
from tuner.evaluation.explain.activations import draw_activations, first_of_each_class
from tuner.evaluation.explain.drawing import PictureFiles, heat, thumbnail
from tuner.evaluation.explain.saliency import NoSaliencyError, saliency_maps, sensitive_convolution
from tuner.names import printable
from tuner.records.image import ImageSpec
from tuner.records.pictures import ActivationMaps, Gallery, Shown

LOG = logging.getLogger("tuner")

MAX_MISTAKES = 12
MAX_UNCERTAIN = 12

_ABSOLUTE = re.compile(r"(?:[A-Za-z]:)?[\\/]|~")


def make_pictures(
    model: keras.Model,
    images: Indexed,
    rows: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    origins: Sequence[str],
    spec: ImageSpec,
) -> tuple[Gallery, ActivationMaps | None, dict[str, bytes]]:
    """Choose the images, explain and draw them.

    Args:
        model: What made the predictions.
        images: All images of the data set, (n_all, height, width, channels), 0-255.
        rows: Which of them are test images, (n,).
        labels: Class numbers of the test images, (n,).
        probabilities: What the model says of them, (n, classes).
        origins: Where they come from, (n,).
        spec: Their classes.

    Returns:
        What is shown; what the first convolutions see, None where there are none; the pictures by
            file name.
    """
    pictures = PictureFiles()
    predicted = probabilities.argmax(axis=1)
    mistakes, uncertain = choose(rows, labels, probabilities)
    chosen = np.array([*mistakes, *uncertain], dtype=np.int64)
    pixels = images[rows[chosen]]
    maps, layer, reason = _explain(model, pixels, predicted[chosen])

    def shown(position: int, place: int, stem: str) -> Shown:
        return Shown(
            origin=shown_origin(origins[position]),
            truth=int(labels[position]),
            predicted=int(predicted[position]),
            confidence=float(probabilities[position].max()),
            truth_probability=float(probabilities[position, labels[position]]),
            picture=pictures.add(stem, thumbnail(pixels[place])),
            saliency=None
            if maps is None
            else pictures.add(f"{stem}-saliency", heat(pixels[place], maps[place])),
        )

    gallery = Gallery(
        n_mistakes=int(np.count_nonzero(predicted != labels)),
        mistakes=tuple(shown(p, i, f"mistake-{i + 1:02d}") for i, p in enumerate(mistakes)),
        uncertain=tuple(
            shown(p, len(mistakes) + i, f"uncertain-{i + 1:02d}") for i, p in enumerate(uncertain)
        ),
        layer=layer,
        reason=reason,
        map_size=None if maps is None else (maps.shape[1], maps.shape[2]),
    )
    of_class = first_of_each_class(labels, rows)
    examples = (
        images[rows[of_class]],
        labels[of_class],
        [shown_origin(origins[p]) for p in of_class],
    )
    activations = _activations(model, *examples, spec.n_classes, pictures)
    return gallery, activations, pictures.files


def choose(
    rows: np.ndarray, labels: np.ndarray, probabilities: np.ndarray
) -> tuple[list[int], list[int]]:
    """Positions of the most confident mistakes, and of the least confident other images.

    Among equals, the lowest row comes first.

    Args:
        rows: Numbers of the images in the data set, (n,).
        labels: Class numbers, (n,).
        probabilities: (n, classes).

    Returns:
        At most `MAX_MISTAKES` positions, the most confident first; at most `MAX_UNCERTAIN`, the
            least confident first.
    """
    confidence = probabilities.max(axis=1)
    is_mistake = probabilities.argmax(axis=1) != labels
    falling: list[int] = np.lexsort((rows, -confidence)).tolist()
    rising: list[int] = np.lexsort((rows, confidence)).tolist()
    mistakes = [p for p in falling if is_mistake[p]][:MAX_MISTAKES]
    return mistakes, [p for p in rising if p not in mistakes][:MAX_UNCERTAIN]


def shown_origin(origin: str) -> str:
    """An image's origin as a page can show it, without control characters.

    Of an absolute path only the file's name is left.
    """
    below = re.split(r"[\\/]", origin)[-1] if _ABSOLUTE.match(origin) else origin
    return printable(below)


def _activations(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    origins: list[str],
    n_classes: int,
    pictures: PictureFiles,
) -> ActivationMaps | None:
    """What the first convolutions see of an image of each class; None where it cannot be drawn."""
    try:
        return draw_activations(model, images, labels, origins, n_classes, pictures)
    # As for saliency: of such a network the page has no maps, but all else.
    except Exception:
        LOG.exception("no activation maps")
        return None


def _explain(
    model: keras.Model, images: np.ndarray, predicted: np.ndarray
) -> tuple[np.ndarray | None, str | None, str]:
    """Saliency maps with their layer, or why there are none."""
    try:
        convolution = sensitive_convolution(model)
        return saliency_maps(model, convolution, images, predicted), convolution.name, ""
    except NoSaliencyError as error:
        return None, None, error.message
    # Your own network may do anything; the images are worth a look without maps, too.
    except Exception as error:
        LOG.exception("no saliency maps")
        return (
            None,
            None,
            f"They could not be computed ({type(error).__name__}); run.log says more.",
        )
