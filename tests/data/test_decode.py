"""Images of every kind become upright 8-bit pixels of the card's size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tuner.data.card import ImageSettings
from tuner.data.decode import UnreadableImageError, decode

RGB = ImageSettings(height=8, width=8, channels=3, background=[10, 20, 30])
GREY = ImageSettings(height=8, width=8, channels=1)


def test_transparency_shows_the_background(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert decode(tmp_path / "a.png", RGB)[0, 0].tolist() == [10, 20, 30]


def test_transparent_palette_colour_shows_the_background(tmp_path: Path) -> None:
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([255, 0, 0, 0, 255, 0])
    picture.save(tmp_path / "a.png", transparency=bytes([0, 255]))
    assert decode(tmp_path / "a.png", RGB)[0, 0].tolist() == [10, 20, 30]


def test_suffix_is_ignored(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (1, 2, 3)).save(tmp_path / "a.txt", format="PNG")
    assert decode(tmp_path / "a.txt", RGB)[3, 3].tolist() == [1, 2, 3]


def test_16_bit_grey_is_scaled(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 32896, dtype=np.uint16)).save(tmp_path / "a.png")
    assert decode(tmp_path / "a.png", GREY)[0, 0].tolist() == [128]


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=95)
    red, green, blue = decode(tmp_path / "a.jpg", RGB)[4, 4].tolist()
    assert red > 200
    assert max(green, blue) < 60


def test_photo_is_turned_upright(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 3), dtype=np.uint8)
    pixels[:2] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180 degrees
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    decoded = decode(tmp_path / "a.png", RGB)
    assert decoded[0].max() == 0
    assert decoded[7].min() == 255


def test_first_frame_of_an_animation_counts(tmp_path: Path) -> None:
    frames = [Image.new("L", (8, 8), value) for value in (40, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert decode(tmp_path / "a.gif", GREY)[0, 0].tolist() == [40]


def test_large_jpeg_is_stretched_to_the_size(tmp_path: Path) -> None:
    pixels = np.zeros((300, 900), dtype=np.uint8)
    pixels[:, 450:] = 255
    Image.fromarray(pixels).save(tmp_path / "a.jpg")
    decoded = decode(tmp_path / "a.jpg", GREY)[..., 0]
    assert decoded.shape == (8, 8)
    assert decoded[:, :3].max() < 30
    assert decoded[:, 5:].min() > 225


@pytest.mark.parametrize(("content", "reason"), [(b"text", "not an image"), (b"", "not an image")])
def test_no_image_is_said_so(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UnreadableImageError, match=f"^{reason}$"):
        decode(tmp_path / "a.png", RGB)
