"""The page of an examination: what was found, with pictures, in one file without a request."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from tuner.data.decoding.streaming import StreamedImages
from tuner.doctor.findings import MAX_EXAMPLES, Examination, Example, Finding
from tuner.doctor.thumbnails import data_uris, shown_indices
from tuner.report.html_document import Body, make_environment, render_document

_HEADINGS = {
    "animated": "Animated images",
    "beyond-range": "Values outside the range",
    "class-imbalance": "Class imbalance",
    "class-missing-in-part": "Class missing in a part",
    "conflicting-labels": "One image, several labels",
    "constant-images": "Images of a single colour",
    "copies": "Copies",
    "copies-across-parts": "Copies across parts",
    "exif-rotated": "Turned by EXIF",
    "half-range": "Half of the range is unused",
    "huge-image": "Huge images",
    "near-copies": "Near copies",
    "near-copies-across-parts": "Near copies across parts",
    "near-copies-conflicting": "Near copies, several labels",
    "not-examined": "Not examined",
    "odd-mode": "Odd colour modes",
    "rescaled-values": "Rescaled values",
    "stretched": "Stretched images",
    "tiny-classes": "Tiny classes",
    "tiny-image": "Tiny images",
    "unreadable": "Unreadable files",
    "value-range": "More than 8 bits",
    "wide-colours": "Colours of 16 bits",
    "wrong-suffix": "Wrong suffixes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturedExample:
    """One example with its picture.

    Attributes:
        example: The example.
        source: Data URI.
    """

    example: Example
    source: Markup


def render(examination: Examination, images: NDArray[np.uint8] | StreamedImages) -> str:
    """The page of an examination.

    Args:
        examination: What was found.
        images: The data set's, (n, height, width, channels).

    Returns:
        A complete HTML document.
    """
    environment = make_environment("tuner.doctor")
    shown = shown_indices(examination.findings)
    sources = data_uris(images, chain.from_iterable(chain.from_iterable(shown)))
    template = environment.get_template("finding.html")
    summary = environment.get_template("summary.html").render(examination=examination)
    bodies = [Body(name="summary", heading="Summary", html=Markup(summary))]
    for number, (finding, groups) in enumerate(
        zip(examination.findings, shown, strict=True), start=1
    ):
        html = template.render(
            finding=finding, max_examples=MAX_EXAMPLES, groups=_pictures(finding, groups, sources)
        )
        bodies.append(
            Body(name=f"finding-{number}", heading=_HEADINGS[finding.code], html=Markup(html))
        )
    return render_document(
        environment,
        title=f"{examination.title} – data",
        overline="tuner data check",
        heading=examination.title,
        bodies=bodies,
        footer=Markup("Data <bdi>{}</bdi> · fingerprint {}").format(
            examination.name, examination.fingerprint[:16]
        ),
        styles=[("tuner.doctor", "data.css")],
        has_pictures=True,
    )


def _pictures(
    finding: Finding, groups: list[list[int]], sources: dict[int, Markup]
) -> list[list[PicturedExample]]:
    by_index = {example.index: example for group in finding.examples for example in group}
    return [
        [PicturedExample(example=by_index[index], source=sources[index]) for index in group]
        for group in groups
    ]
