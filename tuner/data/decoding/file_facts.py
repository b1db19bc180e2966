"""What an image file says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What an image file says of itself.

    Attributes:
        format: By its content, as Pillow calls it, such as `JPEG` or `PNG`.
        mode: Pillow's name for its kind of pixels: `RGB`, `L`, `P`, `RGBA`, `CMYK`, `I;16`, `1` ...
        width: Pixels as they are stored, before any rotation; of a TIFF, after it.
        height: The same.
        is_animated: Whether it has several frames; the further views of a photo are none.
        is_rotated: Whether its EXIF data ask for a rotation or a mirrored image; decoding does it.
        bits: Of each value in the file: 8, 16 or 32.
        lowest: Smallest value of an image whose values need a range to become 8 bits; None for
            others, and where no pixel was decoded.
        highest: Its largest.
    """

    format: str
    mode: str
    width: int
    height: int
    is_animated: bool
    is_rotated: bool
    bits: int = 8
    lowest: float | None = field(default=None, compare=False)
    highest: float | None = field(default=None, compare=False)
