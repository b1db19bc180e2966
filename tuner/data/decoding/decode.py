"""One image file of any kind to uint8 pixels of a stated size."""

from __future__ import annotations

import errno
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from tuner.data.decoding.file_facts import FileFacts
from tuner.data.decoding.file_kind import DAMAGED, why_no_image
from tuner.data.decoding.image_settings import ImageSettings
from tuner.data.decoding.value_range import FULL_16_BITS, ValueRange, extremes, to_8_bits

GREY_MODES = frozenset({"1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"})

# Those that nothing else is mistaken for and that start no other program, as far as Pillow was
# built with them.
Image.init()
with suppress(ImportError):
    import pi_heif

    # Small pictures beside the photo take time, and EXIF's orientation is applied by libheif
    # itself.
    pi_heif.register_heif_opener(thumbnails=False)
_FORMATS = tuple(
    {"JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "PPM", "AVIF", "HEIF"} & Image.OPEN.keys()
)

# A camera's photo fits; a small file that claims more would take gigabytes and many seconds.
_MAX_PIXELS = 50_000_000
# The longest that JPEG knows; forty million rows of one pixel take seconds, too.
_MAX_SIDE = 65_535

# Of images above this size, one is decoded at a time: it may take a gigabyte.
_LARGE_PIXELS = 16_000_000
_LARGE = threading.Lock()

# glibc keeps freed blocks of up to 32 MB for the thread that used them, so that each thread would
# hold on to the memory of the largest image that it has seen; larger blocks go back to the system.
# Pillow's own size is 16 MB.
Image.core.set_block_size(2**26)  # type: ignore[attr-defined]

_EXIF_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UnreadableImageError(Exception):
    """A file that is no image, or a broken one; the message is the reason in a few words.

    Attributes:
        is_passing: Whether the system failed rather than the file, so that another attempt may
            succeed.
    """

    def __init__(self, reason: str, *, is_passing: bool = False) -> None:
        """Take the reason."""
        super().__init__(reason)
        self.is_passing = is_passing


class TooManyPixelsError(UnreadableImageError):
    """An image that takes too much memory or time, by its header."""


def decode(path: Path, settings: ImageSettings) -> NDArray[np.uint8]:
    """Decode the first frame, upright and stretched to the size.

    Transparency is filled with the background colour.

    The file's content decides what it is, never its suffix.

    Returns:
        (height, width, channels).

    Raises:
        UnreadableImageError: If it cannot be decoded.
    """
    return decode_with_facts(path, settings)[0]


def decode_with_facts(path: Path, settings: ImageSettings) -> tuple[NDArray[np.uint8], FileFacts]:
    """Do as `decode` does, and say what file it was.

    Values of more than 8 bits are brought to 8 by the range that the settings state; without one,
    whole numbers of 16 bits by all of theirs, whatever the image holds, so that images stay
    comparable.

    Raises:
        UnreadableImageError: If it cannot be decoded; without a range, floats and numbers of 32
            bits among them.
    """
    pixels, facts = _decoded(
        path, settings, lambda mode, kind: settings_range(settings) or _usual_range(mode, kind)
    )
    assert pixels is not None
    return pixels, facts


def decode_or_measure(
    path: Path, settings: ImageSettings
) -> tuple[NDArray[np.uint8] | None, FileFacts]:
    """Do as `decode_with_facts` does, where no range is needed or one is stated.

    Otherwise only find the extreme values.

    Returns:
        The pixels, or None where the whole data set must say first which range its values have.

    Raises:
        UnreadableImageError: If it cannot be decoded.
    """
    return _decoded(path, settings, lambda mode, kind: settings_range(settings))


def settings_range(settings: ImageSettings) -> ValueRange | None:
    """The range that settings state."""
    return (settings.value_range[0], settings.value_range[1]) if settings.value_range else None


def _usual_range(mode: str, kind: str) -> ValueRange:
    # Pillow brings the values of a PGM to 16 bits, and keeps them, as older versions those of a
    # PNG, in 32.
    if mode.startswith("I;16") or (mode == "I" and kind in ("PNG", "PPM")):
        return FULL_16_BITS
    raise UnreadableImageError("values of 32 bits without a stated range from black to white")


def _decoded(
    path: Path, settings: ImageSettings, range_for: Callable[[str, str], ValueRange | None]
) -> tuple[NDArray[np.uint8] | None, FileFacts]:
    with _opened(path) as picture:
        mode, size, bits = picture.mode, picture.size, _bits(picture)
        with _LARGE if size[0] * size[1] > _LARGE_PIXELS else nullcontext():
            _shrink(picture, settings)
            # Pillow turns a TIFF as it decodes it, and finds some PNGs' orientation only then.
            is_rotated = _is_rotated(picture)
            picture.load()
            orientation = _orientation(picture)
            facts = _facts(picture, mode, size, bits, is_rotated or orientation != 1)
            upright = _turned(picture, orientation)
            if _is_deep(upright):
                values = np.array(upright, dtype=np.float32)
                lowest, highest = extremes(values)
                facts = replace(facts, lowest=lowest, highest=highest)
                value_range = range_for(mode, picture.format or "")
                if value_range is None:
                    return None, facts
                upright = _of_8_bits(values, value_range, upright.info.get("transparency"))
            flat = _flatten(upright, settings)
            flat = flat.resize(
                (settings.width, settings.height), Image.Resampling.LANCZOS, reducing_gap=3.0
            )
        return np.asarray(flat, dtype=np.uint8).reshape(settings.shape), facts


def inspect(path: Path, settings: ImageSettings) -> FileFacts:
    """What the file's header says; no pixel is decoded.

    Raises:
        UnreadableImageError: If it is no image, or one that `decode` would refuse by its header.
    """
    with _opened(path) as picture:
        mode, size, bits = picture.mode, picture.size, _bits(picture)
        _shrink(picture, settings)
        return _facts(picture, mode, size, bits, _is_rotated(picture))


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """The image; whatever goes wrong with it becomes an UnreadableImageError."""
    try:
        # The key of the cache holds what this call says, failure included.
        mode = path.stat().st_mode
    except OSError as error:
        raise UnreadableImageError(error.strerror or "not a file") from error
    # No file has a zero byte in its name, but a line of stdin may.
    except ValueError as error:
        raise UnreadableImageError("not a file") from error
    try:
        if not stat.S_ISREG(mode):
            raise UnreadableImageError("not a file")  # noqa: TRY301 - a pipe would wait for ever
        with Image.open(path, formats=_FORMATS) as picture:
            yield picture
    except UnreadableImageError:
        raise
    except UnidentifiedImageError as error:
        raise UnreadableImageError(_why_no_image(path)) from error
    except Image.DecompressionBombError as error:
        raise TooManyPixelsError("more than 178 million pixels") from error
    except OSError as error:
        # Pillow's own errors have no number; a damaged file may name a place that no file has.
        is_passing = error.errno not in (None, errno.EINVAL)
        raise UnreadableImageError(error.strerror or DAMAGED, is_passing=is_passing) from error
    # A damaged file may ask for more than any machine has, too; it is no reason to end the run.
    except MemoryError as error:
        raise UnreadableImageError("not enough memory", is_passing=True) from error
    # Broken files make Pillow's many decoders raise anything.
    except Exception as error:
        raise UnreadableImageError(DAMAGED) from error


def _shrink(picture: Image.Image, settings: ImageSettings) -> None:
    """Tell a JPEG decoder to shrink by 2, 4 or 8 for next to nothing.

    36 megapixels take 0.1 s instead of 0.6 s.
    """
    # Twice the final side is kept, so that Lanczos has something to average, whatever way up the
    # photo is.
    side = 2 * max(settings.height, settings.width)
    picture.draft(None, (side, side))
    if picture.width * picture.height > _MAX_PIXELS:
        raise TooManyPixelsError(f"more than {_MAX_PIXELS // 1_000_000} million pixels")
    if max(picture.size) > _MAX_SIDE:
        raise TooManyPixelsError(f"a side of more than {_MAX_SIDE:,} pixels")


def _is_rotated(picture: Image.Image) -> bool:
    """Whether the header asks for a rotation."""
    # A PNG may hold its EXIF data behind the pixels, and Pillow would decode those to reach them.
    return (picture.format != "PNG" or "exif" in picture.info) and _orientation(picture) != 1


def _orientation(picture: Image.Image) -> int:
    """EXIF's number for which way up the image is; 1 where it says nothing clear."""
    try:
        found = picture.getexif().get(_EXIF_ORIENTATION, 1)
    # Damaged EXIF data raise many things, and the image is as good as without them.
    except Exception:
        return 1
    return found if isinstance(found, int) and found in _UPRIGHT else 1


def _turned(picture: Image.Image, orientation: int) -> Image.Image:
    return picture if orientation == 1 else picture.transpose(_UPRIGHT[orientation])


def _why_no_image(path: Path) -> str:
    try:
        return why_no_image(path)
    except OSError:
        return "not an image"


def _bits(picture: Image.Image) -> int:
    """Bits of a value in the file.

    Of several channels Pillow keeps the upper 8, and only its tiles tell.
    """
    if _is_deep(picture):
        return 16 if picture.mode.startswith("I;16") else 32
    raw_modes = (str(tile[3]) for tile in getattr(picture, "tile", ()))
    return 16 if picture.mode != "P" and any(";16" in raw_mode for raw_mode in raw_modes) else 8


def _facts(
    picture: Image.Image, mode: str, size: tuple[int, int], bits: int, is_rotated: bool
) -> FileFacts:
    # An MPO is a JPEG with further views behind it; counting the frames of a GIF would read all of
    # them.
    is_mpo = picture.format == "MPO"
    return FileFacts(
        format="JPEG" if is_mpo else picture.format or "",
        mode=mode,
        width=size[0],
        height=size[1],
        is_animated=not is_mpo and _is_animated(picture),
        is_rotated=is_rotated,
        bits=bits,
    )


def _is_animated(picture: Image.Image) -> bool:
    try:
        return bool(getattr(picture, "is_animated", False))
    # The first frame is whole, and that is the one that counts.
    except Exception:
        return False


def _is_deep(picture: Image.Image) -> bool:
    """Whether its values are brought to 8 bits here.

    Pillow's own conversion would cut every one off at 255.
    """
    return picture.mode in {"I", "F"} or picture.mode.startswith("I;16")


def _of_8_bits(
    values: NDArray[np.float32], value_range: ValueRange, transparent: int | None
) -> Image.Image:
    """An 8-bit grey image; one value may stand for transparency."""
    mask = None if transparent is None else values != transparent
    picture = Image.fromarray(to_8_bits(values, value_range))
    if mask is not None:
        picture.putalpha(Image.fromarray(mask.astype(np.uint8) * 255))
    return picture


def _flatten(picture: Image.Image, settings: ImageSettings) -> Image.Image:
    """8-bit grey or RGB."""
    if picture.has_transparency_data:
        above = picture.convert("RGBA")
        red, green, blue = settings.background
        picture = Image.alpha_composite(
            Image.new("RGBA", above.size, (red, green, blue, 255)), above
        )
    return picture.convert("L" if settings.channels == 1 else "RGB")
