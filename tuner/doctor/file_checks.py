"""Checks of image files: what they are beside what their names and sizes promise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from posixpath import splitext
from types import MappingProxyType

from tuner.data.decoding.file_facts import FileFacts
from tuner.doctor.examined_data import ExaminedData
from tuner.doctor.findings import Example, Finding, Severity
from tuner.metrics.score_text import percent

WORTHLESS_UNREADABLE = 0.5

# Pixels.
TINY_SIDE = 16
HUGE_AREA = 20_000_000
# Of width to height, beside that of the size that images are brought to.
STRETCHED = 2.0

# The formats that are read, as Pillow calls them, by the suffixes that promise them.
_SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".mpo": "JPEG",
        ".png": "PNG", ".apng": "PNG", ".gif": "GIF", ".webp": "WEBP",
        ".bmp": "BMP", ".dib": "DIB", ".tif": "TIFF", ".tiff": "TIFF",
        ".ppm": "PPM", ".pgm": "PPM", ".pbm": "PPM", ".pnm": "PPM",
        ".avif": "AVIF", ".avifs": "AVIF", ".heic": "HEIF", ".heif": "HEIF", ".hif": "HEIF",
    }
)  # fmt: skip

_MODES: Mapping[str, str] = MappingProxyType(
    {
        "P": "palette", "PA": "palette", "CMYK": "CMYK", "1": "1 bit",
        "RGBA": "transparency", "RGBa": "transparency", "LA": "transparency", "La": "transparency",
        "I": "16 or 32 bits", "F": "16 or 32 bits",
    }
)  # fmt: skip


def unreadable(data: ExaminedData) -> Iterator[Finding]:
    """Files that are no image, or a damaged one."""
    found = data.images.unreadable
    if not found:
        return
    n_all = len(data.images.labels) + len(found)
    pairs = [text.rpartition(": ")[::2] for text in found]
    share = len(found) / n_all
    is_refused = data.card.policies.unreadable == "fail"
    yield Finding(
        code="unreadable",
        severity="error" if is_refused or share > WORTHLESS_UNREADABLE else "warning",
        summary=(
            f"{len(found):,} of {n_all:,} files ({percent(share)}) cannot be read: "
            f"{_counted(Counter(reason for _, reason in pairs))}."
        ),
        meaning=(
            "A run refuses this data, as the card requires."
            if is_refused
            else (
                "They are left out. If they fail for a common reason, the remaining images are"
                " biased."
            )
        ),
        advice=(
            "replace or delete them, or set policies.unreadable to skip in the card."
            if is_refused
            else "replace or delete them."
        ),
        counts={"files": len(found), "all": n_all},
        examples=tuple((Example(origin=name, note=reason),) for name, reason in pairs),
        n_examples=len(found),
    )


def wrong_suffixes(data: ExaminedData) -> Iterator[Finding]:
    """Files whose suffix promises another format than they have."""
    images = data.images
    notes = {}
    for index, facts in enumerate(images.files):
        suffix = splitext(images.origins[index])[1]
        if suffix and _SUFFIXES.get(suffix.lower()) != facts.format:
            notes[index] = f"is {facts.format}"
    yield from _of_files(
        data,
        notes,
        code="wrong-suffix",
        summary="named with the suffix of another format",
        meaning=(
            "They are read by their content, so this has no effect here. Many other tools trust the"
            " name."
        ),
        advice="rename them before other tools read them.",
    )


def odd_modes(data: ExaminedData) -> Iterator[Finding]:
    """Files that are neither 8-bit grey nor 8-bit RGB."""
    notes = {}
    for index, facts in enumerate(data.images.files):
        kind = (
            "16 or 32 bits" if facts.mode.startswith("I;16") else _MODES.get(facts.mode, facts.mode)
        )
        if facts.mode not in ("L", "RGB", "YCbCr"):
            notes[index] = f"{kind} ({facts.mode})"
    kinds = Counter(note.rpartition(" (")[0] for note in notes.values())
    yield from _of_files(
        data,
        notes,
        code="odd-mode",
        summary=f"neither 8-bit grey nor 8-bit RGB: {_counted(kinds)}",
        meaning=(
            "They are converted, and transparency is filled with the card's background. If one"
            " class has more of them than another, a model may learn the file format."
        ),
        advice="check that colours and background are correct.",
    )


def rotated(data: ExaminedData) -> Iterator[Finding]:
    """Files whose EXIF data turn or mirror them."""
    yield from _of_files(
        data,
        {
            index: "EXIF rotation"
            for index, facts in enumerate(data.images.files)
            if facts.is_rotated
        },
        code="exif-rotated",
        summary="turned or mirrored by their EXIF data",
        meaning="They are turned upright here. Many other tools do not turn them.",
        advice="nothing here; turn images in the same way in production.",
    )


def animated(data: ExaminedData) -> Iterator[Finding]:
    """Files of several frames."""
    yield from _of_files(
        data,
        {
            index: "several frames"
            for index, facts in enumerate(data.images.files)
            if facts.is_animated
        },
        code="animated",
        severity="warning",
        summary="of several frames",
        meaning="Only the first frame is read, which may be blank or show little.",
        advice="look at the first frames; save the frame that you need as an image.",
    )


def extreme_sizes(data: ExaminedData) -> Iterator[Finding]:
    """Files that are tiny or huge."""
    height, width = data.images.images.shape[1:3]
    files = list(enumerate(data.images.files))
    # What is brought to 8 x 8 may be as small.
    smallest = max(min(TINY_SIDE, height, width), min(height, width) / 4)
    yield from _of_files(
        data,
        {
            index: _size(facts)
            for index, facts in files
            if min(facts.width, facts.height) < smallest
        },
        code="tiny-image",
        severity="warning",
        summary=f"under {smallest:.0f} pixels high or wide, and are enlarged to {width} x {height}",
        meaning="Enlarging adds no detail, so a model receives a blurred image.",
        advice="get larger versions, delete them, or set a smaller image size in the card.",
    )
    yield from _of_files(
        data,
        {index: _size(facts) for index, facts in files if facts.width * facts.height > HUGE_AREA},
        code="huge-image",
        summary=f"of more than {HUGE_AREA // 1_000_000} million pixels",
        meaning="They cost time and memory only while the cache is built.",
        advice="nothing; or reduce their size once.",
    )


def stretched(data: ExaminedData) -> Iterator[Finding]:
    """Files that stretching to the card's size distorts beyond recognition."""
    height, width = data.images.images.shape[1:3]
    notes = {}
    for index, facts in enumerate(data.images.files):
        shapes = [facts.width / facts.height]
        if facts.is_rotated:  # perhaps by a half turn only
            shapes.append(1 / shapes[0])
        factors = [shape * height / width for shape in shapes]
        if min(max(factor, 1 / factor) for factor in factors) > STRETCHED:
            notes[index] = _size(facts)
    yield from _of_files(
        data,
        notes,
        code="stretched",
        severity="warning",
        summary=f"stretched more than {STRETCHED:.0f} to 1 when resized to {width} x {height}",
        meaning=("A round face becomes an oval: harder to learn, and unlike images in production."),
        advice="crop them, or set an image size in the card that is closer to their shape.",
    )


def _of_files(
    data: ExaminedData,
    notes: Mapping[int, str],
    *,
    code: str,
    summary: str,
    meaning: str,
    advice: str,
    severity: Severity = "info",
) -> Iterator[Finding]:
    """A finding on single files; none where there is no such file.

    Args:
        data: The data set.
        notes: What is odd, by the image's index.
        code: Kind of the finding.
        summary: What follows "3 of 80 files are".
        meaning: What it means for results.
        advice: What to do.
        severity: How bad it is.
    """
    if not notes:
        return
    n_all = len(data.images.files)
    yield Finding(
        code=code,
        severity=severity,
        summary=(
            f"{len(notes):,} of {n_all:,} files {'is' if len(notes) == 1 else 'are'} {summary}."
        ),
        meaning=meaning,
        advice=advice,
        counts={"files": len(notes), "all": n_all},
        examples=tuple((data.example(index, note),) for index, note in notes.items()),
        n_examples=len(notes),
    )


def _size(facts: FileFacts) -> str:
    return f"{facts.width} x {facts.height}"


def _counted(kinds: Counter[str]) -> str:
    return ", ".join(f"{kind} ({n:,})" for kind, n in kinds.most_common())
