"""Small pictures of images and of maps."""

from __future__ import annotations

import io

import numpy as np
from matplotlib import colormaps
from PIL import Image

# Pixels of the longer side of an image; larger ones are shrunk.
MAX_SIDE = 96
# The same of one map in a strip, and how many stand side by side.
MAX_MAP_SIDE = 48
MAPS_PER_LINE = 4

# Its lightness grows evenly with the value (van der Walt and Smith, SciPy 2015); the dark colours
# are left out, and the picture below is dimmed, so that more heat is never darker.
_COLOURS, _FIRST_COLOUR, _DIMMED = colormaps["inferno"], 0.65, 0.5
# Of the colour where a map is 1; the picture shines through.
_MAX_OPACITY = 0.85
_GAP_GREY = 128


class PictureFiles:
    """Pictures as files.

    Attributes:
        files: Contents by name.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.files: dict[str, bytes] = {}

    def add(self, stem: str, picture: Image.Image) -> str:
        """Keep a picture as PNG or JPEG, whichever is smaller; returns the file's name."""
        png, jpeg = io.BytesIO(), io.BytesIO()
        picture.save(png, "PNG", optimize=True)
        picture.save(jpeg, "JPEG", quality=80, optimize=True)
        suffix, file = min(("png", png), ("jpg", jpeg), key=lambda kind: len(kind[1].getvalue()))
        name = f"{stem}.{suffix}"
        self.files[name] = file.getvalue()
        return name


def thumbnail(image: np.ndarray) -> Image.Image:
    """An image (height, width, 1 or 3), 0-255, at most `MAX_SIDE` pixels high and wide."""
    pixels = np.ascontiguousarray(image.astype(np.uint8))
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    picture.thumbnail((MAX_SIDE, MAX_SIDE))
    return picture


def heat(image: np.ndarray, saliency: np.ndarray) -> Image.Image:
    """A saliency map (rows, columns), 0 to 1, in colour over the image in dim grey.

    It has the size of the image's `thumbnail`.
    """
    grey = thumbnail(image).convert("L")
    enlarged = Image.fromarray(saliency.astype(np.float32)).resize(
        grey.size, Image.Resampling.BILINEAR
    )
    values = np.asarray(enlarged)
    opacity = _MAX_OPACITY * values[..., None]
    colour = 255 * _COLOURS(_FIRST_COLOUR + (1 - _FIRST_COLOUR) * values)[..., :3]
    mixed = (1 - opacity) * _DIMMED * np.asarray(grey)[..., None] + opacity * colour
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def strip(maps: np.ndarray) -> Image.Image:
    """Maps (rows, columns, channels) in grey, `MAPS_PER_LINE` side by side.

    Each map is scaled from its own minimum to its maximum.
    """
    tiles = [_tile(maps[..., channel]) for channel in range(maps.shape[2])]
    width, height = tiles[0].size
    gap = max(1, width // 16)
    n_across = min(MAPS_PER_LINE, len(tiles))
    n_down = -(-len(tiles) // n_across)
    size = n_across * (width + gap) - gap, n_down * (height + gap) - gap
    sheet = Image.new("L", size, _GAP_GREY)
    for number, tile in enumerate(tiles):
        line, place = divmod(number, n_across)
        sheet.paste(tile, (place * (width + gap), line * (height + gap)))
    return sheet


def _tile(values: np.ndarray) -> Image.Image:
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / (high - low) if high > low else np.zeros_like(values)
    tile = Image.fromarray(np.rint(255 * scaled).astype(np.uint8))
    tile.thumbnail((MAX_MAP_SIDE, MAX_MAP_SIDE))
    return tile
