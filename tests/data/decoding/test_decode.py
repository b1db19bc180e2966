"""Images of every kind become upright 8-bit pixels of the card's size."""

from __future__ import annotations

import errno
import os
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from tuner.data.decoding.decode import UnreadableImageError, decode, decode_with_facts, inspect
from tuner.data.decoding.file_facts import FileFacts
from tuner.data.decoding.image_settings import ImageSettings

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


def test_transparent_palette_pixel_of_a_tiff_shows_the_background(tmp_path: Path) -> None:
    picture = Image.new("PA", (8, 8), (1, 0))
    picture.putpalette([255, 0, 0, 0, 255, 0])
    picture.save(tmp_path / "a.tif")
    assert decode(tmp_path / "a.tif", RGB)[0, 0].tolist() == [10, 20, 30]


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


def test_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(UnreadableImageError, match=r"^not a file$"):
        decode(tmp_path / "a.png", RGB)


def test_name_with_a_zero_byte_is_no_file() -> None:
    with pytest.raises(UnreadableImageError, match=r"^not a file$"):
        decode(Path("a\0b.png"), RGB)


def write_png_header(path: Path, width: int, height: int, mode: int = 2) -> None:
    """A PNG that claims a size, and holds a few pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, mode, 0, 0, 0))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + header
        + chunk(b"IDAT", zlib.compress(bytes(100)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("side", "reason"),
    [(50_000, "more than 178 million pixels"), (10_000, "more than 50 million pixels")],
)
def test_huge_header_is_refused_without_memory(tmp_path: Path, side: int, reason: str) -> None:
    write_png_header(tmp_path / "a.png", side, side)
    tracemalloc.start()
    try:
        for refuse in (decode, inspect):
            with pytest.raises(UnreadableImageError, match=f"^{reason}$"):
                refuse(tmp_path / "a.png", RGB)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_truncated_file_is_damaged(tmp_path: Path) -> None:
    write_png_header(tmp_path / "a.png", 300, 300)
    with pytest.raises(UnreadableImageError, match=r"^damaged image$"):
        decode(tmp_path / "a.png", RGB)


@pytest.mark.parametrize(
    ("error", "reason", "is_passing"),
    [
        (OSError(errno.EIO, "Input/output error"), "Input/output error", True),
        (PermissionError(errno.EACCES, "Permission denied"), "Permission denied", True),
        (OSError(errno.EINVAL, "Invalid argument"), "Invalid argument", False),
        (OSError("broken data stream"), "damaged image", False),
        (MemoryError(), "not enough memory", True),
    ],
)
def test_failure_of_the_system_is_told_from_a_damaged_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str, is_passing: bool
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    (tmp_path / "a.png").touch()
    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(UnreadableImageError) as caught:
        decode(tmp_path / "a.png", RGB)
    assert (str(caught.value), caught.value.is_passing) == (reason, is_passing)


def test_file_that_is_gone_is_known_to_the_caches_key(tmp_path: Path) -> None:
    with pytest.raises(UnreadableImageError, match=r"^No such file or directory$") as caught:
        decode(tmp_path / "gone.png", RGB)
    assert not caught.value.is_passing


def test_frames_of_a_long_animation_are_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = [Image.new("L", (8, 8), value) for value in range(0, 250, 5)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    loads: list[int] = []
    load = ImageFile.ImageFile.load

    def counted(picture: Any) -> Any:
        loads.append(picture.tell())
        return load(picture)

    monkeypatch.setattr(ImageFile.ImageFile, "load", counted)
    pixels, facts = decode_with_facts(tmp_path / "a.gif", GREY)
    assert pixels.max() == 0
    assert facts.is_animated
    assert set(loads) == {0}


def facts_of(path: Path) -> FileFacts:
    """The facts, which are the same whether pixels are decoded or not."""
    facts = decode_with_facts(path, RGB)[1]
    assert inspect(path, RGB) == facts
    return facts


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_facts_of_a_png(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (9, 7)).save(tmp_path / "a.jpg", format="PNG")
    facts = facts_of(tmp_path / "a.jpg")
    assert (facts.format, facts.mode, facts.width, facts.height) == ("PNG", mode, 9, 7)
    assert (facts.is_animated, facts.is_rotated) == (False, False)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tiff", "webp"])
def test_facts_of_a_photo_are_those_before_it_is_turned(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (900, 700)).save(tmp_path / f"a.{suffix}", exif=exif)
    facts = facts_of(tmp_path / f"a.{suffix}")
    # Pillow says of a TIFF what it turns it into.
    size = (700, 900) if suffix == "tiff" else (900, 700)
    assert (facts.width, facts.height, facts.is_rotated) == (*size, True)


def test_further_views_of_a_photo_are_no_animation(tmp_path: Path) -> None:
    views = [Image.new("RGB", (9, 7), value) for value in ("red", "blue")]
    views[0].save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=views[1:])
    facts = facts_of(tmp_path / "a.jpg")
    assert (facts.format, facts.is_animated) == ("JPEG", False)


def test_damaged_exif_is_passed_over(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (1, 2, 3)).save(
        tmp_path / "a.png", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09"
    )
    assert decode(tmp_path / "a.png", RGB)[0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    turned = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.T,
        6: pixels.T[:, ::-1],
        7: pixels.T[::-1, ::-1],
        8: pixels.T[::-1],
    }
    np.testing.assert_array_equal(decode(tmp_path / "a.png", GREY)[..., 0], turned[orientation])


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("1", 1, [255] * 3),
        ("LA", (200, 0), [10, 20, 30]),
        ("LA", (200, 255), [200] * 3),
        ("RGBA", (10, 20, 30, 128), [10, 20, 30]),
        ("I;16", 65535, [255] * 3),
    ],
)
def test_odd_modes(tmp_path: Path, mode: str, colour: Any, expected: list[int]) -> None:
    Image.new(mode, (8, 8), colour).save(tmp_path / "a.png")
    assert decode(tmp_path / "a.png", RGB)[4, 4].tolist() == expected


@pytest.mark.filterwarnings("ignore::Warning")
@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "bmp", "webp", "tiff", "ppm"])
def test_any_change_of_a_file_decodes_or_is_explained(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(tmp_path / f"a.{suffix}")
    whole = (tmp_path / f"a.{suffix}").read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(60):
        changed = bytearray(whole)
        for at in rng.integers(0, len(changed), size=rng.integers(1, 5)):
            changed[at] = rng.integers(256)
        (tmp_path / "changed").write_bytes(changed[: rng.integers(1, len(changed) + 1)])
        try:
            assert decode(tmp_path / "changed", RGB).shape == (8, 8, 3)
        except UnreadableImageError as error:
            assert str(error)
