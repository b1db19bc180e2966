"""Decoded images brought to another size.

Rows of a CSV and arrays come in a size of their own.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace

import numpy as np
from PIL import Image

from tuner.data.decoding.image_settings import ImageSettings
from tuner.data.images import Images
from tuner.errors import DataError

# They are held in memory.
_MOST_BYTES = 1_000_000_000


def resized(images: Images, settings: ImageSettings) -> Images:
    """Stretch all images to the size, and make them grey or RGB, as image files are.

    Args:
        images: Decoded in any size; not streamed.
        settings: The size.

    Raises:
        DataError: If they would take more memory than they may.
    """
    n_bytes = math.prod((len(images.labels), *settings.shape))
    if n_bytes > _MOST_BYTES:
        raise DataError(
            f"{images.name}: resized to {settings.height} x {settings.width}, its images take"
            f" {n_bytes / 1e9:,.1f} GB; at most {_MOST_BYTES / 1e9:g} GB can be resized",
            "give a folder of image files, which can be decoded in any size.",
        )
    pixels = np.empty((len(images.labels), *settings.shape), dtype=np.uint8)
    for row in range(len(pixels)):
        picture = Image.fromarray(
            np.asarray(images.images[row]).squeeze(axis=-1 if images.images.shape[-1] == 1 else ())
        )
        picture = picture.convert("L" if settings.channels == 1 else "RGB")
        picture = picture.resize((settings.width, settings.height), Image.Resampling.LANCZOS)
        pixels[row] = np.asarray(picture).reshape(settings.shape)
    # What is kept of images by their fingerprint, such as features, is of other pixels.
    digest = hashlib.sha256(f"{images.fingerprint} {settings.shape}".encode()).hexdigest()
    return replace(images, images=pixels, fingerprint=digest, sums=None)
