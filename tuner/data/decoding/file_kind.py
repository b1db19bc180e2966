"""What a file is that no image decoder takes, by its first bytes: so that a message can name it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tuner.extras import install_line

# Of what is an image, but not a whole one.
DAMAGED = "damaged image"

_HEIC_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"heif"}
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_VIDEO_BRANDS = frozenset(
    {b"isom", b"iso2", b"mp41", b"mp42", b"qt  ", b"M4V ", b"avc1", b"3gp4", b"3gp5"}
)
_MOST_BRANDS = 16

_SAVE = "which is not read; save it as PNG"
_SAVE_DEEP = "which is not read; save it as 16-bit TIFF"
_TIFF = "TIFF of a kind that is not read; save it as grey or RGB"
_DRAWING = f"SVG drawing, {_SAVE}"
_WEB_PAGE = "web page, not an image; the download failed"

# What stands where in a file, and what the file is then. What Pillow reads and refuses all the same
# is damaged.
_MARKS = (
    (0, b"\xff\xd8\xff", DAMAGED),
    (0, b"\x89PNG", DAMAGED),
    (0, b"GIF8", DAMAGED),
    (0, b"BM", DAMAGED),
    (8, b"WEBP", DAMAGED),
    (0, b"II*\0", _TIFF),
    (0, b"MM\0*", _TIFF),
    (0, b"II+\0", _TIFF),
    (0, b"MM\0+", _TIFF),
    (0, b"\x00\x00\x00\x0cJXL ", f"JPEG XL image, {_SAVE}"),
    (0, b"\xff\x0a", f"JPEG XL image, {_SAVE}"),
    (0, b"\x00\x00\x00\x0cjP  ", f"JPEG 2000 image, {_SAVE}"),
    (0, b"\xff\x4f\xff\x51", f"JPEG 2000 image, {_SAVE}"),
    (0, b"8BPS", f"Photoshop file, {_SAVE}"),
    (0, b"\x76\x2f\x31\x01", f"OpenEXR image, {_SAVE_DEEP}"),
    (0, b"SIMPLE  =", f"FITS file, {_SAVE_DEEP}"),
    (128, b"DICM", f"DICOM file, {_SAVE_DEEP}"),
    (0, b"\x00\x00\x01\x00", f"icon, {_SAVE}"),
    (0, b"%PDF", "PDF, not an image"),
    (0, b"PK\x03\x04", "zip archive, not an image"),
    (0, b"\x1f\x8b", "gzip archive, not an image"),
    (8, b"AVI ", "a video, not an image"),
    (0, b"version https://git-lfs", "Git LFS pointer; `git lfs pull` gets the image itself"),
)
_TEXTS = (
    (b"<!doctype html", _WEB_PAGE),
    (b"<html", _WEB_PAGE),
    (b"<svg", _DRAWING),
)


def can_read_heic() -> bool:
    """Whether the extra `heic` is installed; imports nothing."""
    return importlib.util.find_spec("pi_heif") is not None


def why_no_image(path: Path) -> str:
    """Why Pillow does not know a file, in a few words without a colon.

    Raises:
        OSError: If it cannot be read.
    """
    with open(path, "rb") as file:
        head = file.read(512)
    if not head:
        return "an empty file"
    if head[4:8] == b"ftyp":
        return _of_brands(_brands(head))
    known = (reason for at, mark, reason in _MARKS if head.startswith(mark, at))
    return next(known, None) or _of_text(head.lstrip(b"\xef\xbb\xbf \t\r\n").lower())


def _of_text(text: bytes) -> str:
    if text.startswith(b"<?xml") and b"<svg" in text:
        return _DRAWING
    return next((reason for begin, reason in _TEXTS if text.startswith(begin)), "not an image")


def _brands(head: bytes) -> list[bytes]:
    """What a file of boxes (ISO/IEC 14496-12) says that it is, the most particular first."""
    end = min(int.from_bytes(head[:4], "big"), 16 + 4 * _MOST_BRANDS)
    return [head[8:12], *(head[at : at + 4] for at in range(16, end, 4))]


def _of_brands(brands: list[bytes]) -> str:
    if _AVIF_BRANDS & set(brands):
        return "AVIF image that is damaged or needs a newer Pillow"
    if _HEIC_BRANDS & set(brands) or brands[0] in (b"mif1", b"msf1"):
        return (
            "damaged HEIC image"
            if can_read_heic()
            else f"HEIC image; {install_line('heic')} lets it be read"
        )
    if brands[0] == b"crx ":
        return "a camera's raw file, which is not read; save it as 16-bit TIFF"
    return "a video, not an image" if _VIDEO_BRANDS & set(brands) else "not an image"
