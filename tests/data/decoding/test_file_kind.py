"""A file that is not read is named by what it is."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tuner.data.decoding import file_kind as formats
from tuner.data.decoding.decode import UnreadableImageError, decode
from tuner.data.decoding.image_settings import ImageSettings

RGB = ImageSettings(height=8, width=8, channels=3)

# 16 x 16 pixels of one red, 466 bytes.
HEIC = zlib.decompress(
    base64.b64decode(
        "eNpjYGCQSSupLMhIzUxmAILczDRDEDs3MzGNgYGxJje1JJEBAhQzUnKKoGyGgszkEgY0oJSZkw82xMWBgREI"
        "gYBxAYQGAiMgVs7MzEsD80CiokBOKhOUl1GWbAhi8hVkluTClfzJLCgqANJ3MguS84F0KVCZMyMzSGgCWJHc"
        "B4Y/f3/8YGDgZ04A6pBwYORh/P8fpIAZpIIZhOR2MTkkAiU1nRgZ0WQWKDSyTnu1btazB4oLDjQwMPA0gIRb"
        "koCq2VwYDxYf7ATaIZycn1OUl5xTARTlZWADKmEQySwuSIV6zAGKNZJzEkEOE4C6HUz/////ApBmgtEg8YLM"
        "ikyQRmYODg4gJZFZkAsLY2CwsTYyMbO2ANlWuSmJoDDW02BcL6yYlOzwVV3p/3/nrPpXNup/W28mphftOhj9"
        "6deBbymzD3xeNXFeQ3vmcgPRCgDazGas"
    )
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "an empty file"),
        (b"text", "not an image"),
        (
            b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
            'HEIC image; python -m pip install "pi-heif>=1.0"',
        ),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "HEIC image; "),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif", "AVIF image that is damaged"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42", "a video, not an image"),
        (b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x00crx isom", "a camera's raw file"),
        (b"\x00\x00\x00\x0cJXL \x0d\x0a", "JPEG XL image"),
        (bytes(128) + b"DICM", "DICOM file"),
        (b"\n<!DOCTYPE HTML><title>404</title>", "web page, not an image"),
        (b'<?xml version="1.0"?><svg/>', "SVG drawing"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        (b"%PDF-1.4", "PDF, not an image"),
    ],
)
def test_file_is_named_by_its_first_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, reason: str
) -> None:
    monkeypatch.setattr(formats, "can_read_heic", lambda: False)
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(UnreadableImageError) as caught:
        decode(tmp_path / "a.jpg", RGB)
    assert str(caught.value).startswith(reason)
    # What lists unreadable files cuts them apart there.
    assert ": " not in str(caught.value)


def test_five_bands_are_no_image_that_is_read(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.tif")
    content = (tmp_path / "a.tif").read_bytes()
    # SamplesPerPixel, tag 277: one SHORT.
    before, after = (b"\x15\x01\x03\x00\x01\x00\x00\x00" + bytes([n, 0]) for n in (3, 5))
    assert content.count(before) == 1
    (tmp_path / "a.tif").write_bytes(content.replace(before, after))
    with pytest.raises(
        UnreadableImageError, match=r"^TIFF of a kind that is not read; save it as grey or RGB$"
    ):
        decode(tmp_path / "a.tif", RGB)


def test_heic_photo_is_read_where_the_extra_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("pi_heif", reason="the extra heic is not installed")
    (tmp_path / "a.heic").write_bytes(HEIC)
    np.testing.assert_allclose(decode(tmp_path / "a.heic", RGB)[4, 4], [200, 40, 40], atol=3)
    (tmp_path / "b.heic").write_bytes(HEIC[:300])
    with pytest.raises(UnreadableImageError, match=r"^damaged (HEIC )?image$"):
        decode(tmp_path / "b.heic", RGB)
