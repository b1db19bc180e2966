"""Small pictures of examples, inside the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from tuner.data.decoding.streaming import StreamedImages
from tuner.doctor.findings import Finding

# Pixels of the longer side; larger images are shrunk.
MAX_SIDE = 96
# At most so many in a page, in one finding, and of images that belong together.
MAX_PICTURES = 60
MAX_PER_FINDING = 12
MAX_PER_GROUP = 4
# Every finding shows so many before another shows more.
_MIN_PER_FINDING = 2

# JPEG makes small drawn images larger and blurs them.
_LARGEST_PNG_PIXELS = 64 * 64


def shown_indices(findings: Sequence[Finding]) -> list[list[list[int]]]:
    """The images that are shown: for each finding and each of its groups, their indices.

    The pictures are shared out, so that no finding takes all of them.
    """
    left = MAX_PICTURES
    n_pictured = sum(
        any(s.index is not None for group in finding.examples for s in group)
        for finding in findings
    )
    per_finding = min(MAX_PER_FINDING, max(_MIN_PER_FINDING, MAX_PICTURES // max(1, n_pictured)))
    shown = []
    for finding in findings:
        of_finding, room = [], min(per_finding, left)
        for group in finding.examples:
            indices = [example.index for example in group if example.index is not None][
                :MAX_PER_GROUP
            ]
            # Half a pair shows nothing.
            if not indices or len(indices) > room:
                break
            of_finding.append(indices)
            room -= len(indices)
            left -= len(indices)
        shown.append(of_finding)
    return shown


def data_uri(image: NDArray[np.uint8]) -> Markup:
    """An image as the `src` of an `img`.

    Args:
        image: (height, width, channels), with 1 or 3 channels.
    """
    picture = Image.fromarray(
        np.ascontiguousarray(image.squeeze(axis=2) if image.shape[2] == 1 else image)
    )
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    file_format = "PNG" if picture.width * picture.height <= _LARGEST_PNG_PIXELS else "JPEG"
    file = io.BytesIO()
    picture.save(file, file_format, quality=80)
    content = base64.b64encode(file.getvalue()).decode()
    return Markup("data:image/{};base64,{}").format(file_format.lower(), content)


def data_uris(
    images: NDArray[np.uint8] | StreamedImages, indices: Iterable[int]
) -> dict[int, Markup]:
    """The pictures of some images, by their indices."""
    wanted = np.unique(np.fromiter(indices, dtype=np.int64))
    return {
        index: data_uri(image) for index, image in zip(wanted.tolist(), images[wanted], strict=True)
    }
