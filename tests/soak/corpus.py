"""Where the fuzzing of the loaders starts: small files of every kind, and special cases.

The special cases are those that no mutation would find.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

SIDE = 8
# Cases made by hand that take seconds each.
SLOW = frozenset(
    {
        "7,000 x 7,000 RGBA whole",
        "7,000 x 7,000 16 bits whole",
        "field of 50 MB",
        "line of 50 MB",
        "20,000 classes",
        "more labels than memory",
    }
)
# Files by their path in a case's folder.
Files = dict[str, bytes]


@cache
def images() -> dict[str, bytes]:
    """Pictures of 40 x 30 pixels in every format and mode that people have."""
    noise = np.random.default_rng(0).integers(0, 256, size=(30, 40, 4), dtype=np.uint8)
    rgba = Image.fromarray(noise)
    rgb, grey = rgba.convert("RGB"), rgba.convert("L")
    deep = Image.fromarray(noise.view(np.uint16)[..., 0].copy())
    frames = [Image.fromarray(np.roll(noise, i, axis=0)).convert("P") for i in range(5)]
    turned = Image.Exif()
    turned[0x0112] = 6
    turned[0x010E] = "a description"
    several: dict[str, Any] = {"save_all": True, "append_images": frames[1:]}
    return {
        "grey.jpg": _saved(grey, "JPEG"),
        "rgb.jpg": _saved(rgb, "JPEG", exif=turned),
        "progressive.jpg": _saved(rgb, "JPEG", progressive=True, icc_profile=bytes(200)),
        "cmyk.jpg": _saved(rgb.convert("CMYK"), "JPEG"),
        "mpo.jpg": _saved(rgb, "MPO", save_all=True, append_images=[rgb]),
        "rgb.png": _saved(rgb, "PNG", exif=turned),
        "rgba.png": _saved(rgba, "PNG"),
        "grey_alpha.png": _saved(rgba.convert("LA"), "PNG"),
        "palette.png": _saved(rgb.convert("P"), "PNG", transparency=3),
        "bit.png": _saved(grey.convert("1"), "PNG"),
        "deep.png": _saved(deep, "PNG"),
        "animated.png": _saved(rgb, "PNG", save_all=True, append_images=[grey.convert("RGB")]),
        "still.gif": _saved(rgb.convert("P"), "GIF"),
        "animated.gif": _saved(frames[0], "GIF", transparency=1, **several),
        "rgb.bmp": _saved(rgb, "BMP"),
        "bit.bmp": _saved(grey.convert("1"), "BMP"),
        "palette.bmp": _saved(rgb.convert("P"), "BMP"),
        "lossy.webp": _saved(rgb, "WEBP", exif=turned),
        "lossless.webp": _saved(rgba, "WEBP", lossless=True),
        "animated.webp": _saved(
            frames[0].convert("RGB"), "WEBP", save_all=True, append_images=[rgb, rgb]
        ),
        "raw.tif": _saved(rgb, "TIFF"),
        "lzw.tif": _saved(rgba, "TIFF", compression="tiff_lzw"),
        "deflate.tif": _saved(grey, "TIFF", compression="tiff_adobe_deflate"),
        "jpeg.tif": _saved(rgb, "TIFF", compression="jpeg"),
        "deep.tif": _saved(deep, "TIFF"),
        "float.tif": _saved(Image.fromarray(noise[..., 0].astype(np.float32)), "TIFF"),
        "pages.tif": _saved(frames[0], "TIFF", **several),
        "rgb.ppm": _saved(rgb, "PPM"),
    }


@cache
def good_image() -> bytes:
    """A picture that stands beside the mutated one, so that its class is not empty."""
    return _saved(Image.new("RGB", (SIDE, SIDE), "red"), "PNG")


@cache
def fer_csv() -> bytes:
    """FER-style rows of `SIDE` x `SIDE` images."""
    rng, usages = np.random.default_rng(0), ("Training", "PublicTest", "PrivateTest")
    lines = ["emotion,pixels,Usage"]
    for row in range(12):
        pixels = " ".join(map(str, rng.integers(0, 256, SIDE * SIDE)))
        lines.append(f'{row % 3},"{pixels}",{usages[row // 4]}')
    return "\n".join(lines).encode() + b"\n"


@cache
def array_csvs() -> Files:
    """Rows of values, and their labels."""
    rows = np.random.default_rng(0).integers(0, 256, (6, SIDE * SIDE))
    return {
        "x.csv": "\n".join(",".join(map(str, row)) for row in rows).encode() + b"\n",
        "y.csv": "".join(f"{row % 2}\n" for row in range(6)).encode(),
    }


@cache
def npz() -> bytes:
    """Images and labels."""
    written = io.BytesIO()
    x = np.random.default_rng(0).integers(0, 256, (8, SIDE, SIDE, 3), dtype=np.uint8)
    np.savez_compressed(
        written, x_train=x[:6], y_train=np.arange(6) % 2, x_test=x[6:], y_test=np.arange(2)
    )
    return written.getvalue()


def packed(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        for name, content in files.items():
            file.writestr(zipfile.ZipInfo(name), content, compression)
    return written.getvalue()


def tarred(
    files: Mapping[str, bytes], kind: bytes = tarfile.REGTYPE, link: str = "", pax: str = ""
) -> bytes:
    """A tar whose last member is of a kind, and has a long attribute."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=tarfile.PAX_FORMAT) as file:
        for number, (name, content) in enumerate(files.items(), start=1):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            if number == len(files):
                info.type, info.linkname, info.pax_headers = (
                    kind,
                    link,
                    {"comment": pax} if pax else {},
                )
            file.addfile(info, io.BytesIO(content))
    return written.getvalue()


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
}


def photos() -> Files:
    """A folder of two classes."""
    picture = images()
    return {
        "pets/cat/1.png": good_image(),
        "pets/cat/2.jpg": picture["rgb.jpg"],
        "pets/dog/1.gif": picture["still.gif"],
        "pets/dog/2.png": picture["rgba.png"],
    }


def png(width: int, height: int, *, color: int = 2, depth: int = 8, data: bytes = b"") -> bytes:
    """A PNG of any size whose rows are `data`; without any, it ends where they would begin."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    chunks = [(b"IHDR", header)] + (
        [(b"IDAT", data), (b"IEND", b"")] if data else [(b"IDAT", zlib.compress(b"0"))]
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(png_chunk, *zip(*chunks, strict=True)))


def png_chunk(name: bytes, payload: bytes) -> bytes:
    """A chunk with the right checksum."""
    return (
        struct.pack(">I", len(payload))
        + name
        + payload
        + struct.pack(">I", zlib.crc32(name + payload))
    )


def zeros(n_bytes: int) -> bytes:
    """So many zeros as a zlib stream; a block of them is compressed once and repeated."""
    block = 8 * 2**20
    packer = zlib.compressobj(9)
    begin = packer.compress(bytes(block)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(block)) + packer.flush(zlib.Z_FULL_FLUSH)
    n = max(1, n_bytes // block)
    end = packer.compress(bytes(n_bytes % block)) + packer.flush(zlib.Z_SYNC_FLUSH)
    # The last block is empty; the checksum is that of n_bytes zeros.
    return (
        begin
        + again * (n - 1)
        + end
        + b"\x03\x00"
        + struct.pack(">I", ((n_bytes % 65521) << 16) | 1)
    )


def special_images() -> dict[str, bytes]:
    """Pictures that would take all memory or time, or carry what people do not expect."""
    picture = images()
    gif = picture["still.gif"]
    start = gif.index(
        b",", 13 + 3 * 2 ** ((gif[10] & 7) + 1)
    )  # the frame begins behind header and palette
    exif = b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12\0\x03\xff\xff\xff\xff\0\0\0\0" * 2000
    jpeg = picture["rgb.jpg"]
    return {
        "50,000 x 50,000 header": png(50_000, 50_000),
        "50,000 x 50,000 whole": png(50_000, 50_000, color=0, depth=1, data=zeros(50_000 * 6251)),
        "largest header": png(2**31 - 1, 2**31 - 1),
        "13,000 x 13,000 header": png(13_000, 13_000, color=6),
        "13,000 x 13,000 whole": png(13_000, 13_000, color=0, data=zeros(13_000 * 13_001)),
        "7,000 x 7,000 RGBA whole": png(7000, 7000, color=6, data=zeros(7000 * (4 * 7000 + 1))),
        "7,000 x 7,000 16 bits whole": png(
            7000, 7000, color=0, depth=16, data=zeros(7000 * (2 * 7000 + 1))
        ),
        "1 x 40,000,000": png(1, 40_000_000, color=0, depth=1, data=zeros(2 * 40_000_000)),
        "40,000,000 x 1": png(40_000_000, 1, color=0, depth=1, data=zeros(5_000_001)),
        "no pixels": png(0, 0),
        "GIF of 10,000 frames": gif[:start] + gif[start:-1] * 10_000 + b";",
        "GIF of 65,535 x 65,535": gif[:6] + b"\xff\xff\xff\xff" + gif[10:],
        "text that unpacks to 300 MB": _with_chunk(
            picture["rgb.png"], b"zTXt", b"Comment\0\0" + zeros(300_000_000)
        ),
        "profile that unpacks to 300 MB": _with_chunk(
            picture["rgb.png"], b"iCCP", b"ICC\0\0" + zeros(300_000_000)
        ),
        "20,000 chunks": _with_chunk(picture["rgb.png"], b"tEXt", b"a\0b", n=20_000),
        "endless EXIF": jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:],
        "1,000 JPEG markers": jpeg[:2] + b"\xff\xfe\x00\x04ab" * 1000 + jpeg[2:],
        "JPEG of 65,500 x 65,500": _resized_jpeg(jpeg, 65_500),
        "PPM of 10^9 pixels": b"P6 100000 10000 255\n",
        "PPM of 7,000 digits": b"P6 " + b"9" * 7000 + b" 1 255\n",
        "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{} loop\n",
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "empty": b"",
        "one byte": b"\x89",
        "HTML": b"<!doctype html><title>404</title>",
    }


def special_fer() -> dict[str, bytes]:
    """FER-style CSVs."""
    text = fer_csv().decode()
    good = " ".join(["7"] * SIDE**2)
    return {
        "NULs": text.replace(" ", "\0", 5).encode(),
        "only NULs": bytes(100_000),
        "UTF-16": text.encode("utf-16"),
        "UTF-32": text.encode("utf-32"),
        "Latin-1": text.replace("PublicTest", "Öffentlich").encode("latin-1"),
        "mark of UTF-8": b"\xef\xbb\xbf" + text.encode(),
        "old Mac lines": text.replace("\n", "\r").encode(),
        "field of 50 MB": f'emotion,pixels,Usage\n0,"{"7 " * 25_000_000}",Training\n'.encode(),
        "line of 50 MB": b"emotion,pixels,Usage\n" + b"," * 50_000_000,
        "header of 1,000,000 columns": b"," * 1_000_000 + b"\n",
        "quote that never ends": text.replace('"', "", 1).encode() + b'"' * 3,
        "label of 10,000 digits": text.replace("\n0,", f"\n{'9' * 10_000},").encode(),
        "pixel of 10,000 digits": text.replace(" ", " " + "9" * 10_000 + " ", 1).encode(),
        "labels that are not finite": (
            text.replace("\n0,", "\nnan,").replace("\n1,", "\ninf,").encode()
        ),
        "digits of another script": text.replace("\n1,", "\n\N{ARABIC-INDIC DIGIT ONE},").encode(),
        "superscript": text.replace("\n1,", "\n\N{SUPERSCRIPT TWO},").encode(),
        "20,000 classes": (
            ("emotion,pixels\n" + "".join(f"{i},{good}\n" for i in range(20_000))).encode()
        ),
        "same column twice": text.replace("emotion,pixels,Usage", "pixels,pixels,pixels").encode(),
        "header alone": b"emotion,pixels,Usage\n",
        "only blank lines": b"\n" * 100_000,
        "empty": b"",
        "an image": good_image(),
    }


def special_arrays() -> dict[str, Files]:
    """Array CSVs."""
    both = array_csvs()
    return {
        "label of 10,000 digits": both | {"y.csv": b"9" * 10_000 + both["y.csv"]},
        "more labels than memory": both | {"y.csv": b"0\n" * 5_000_000},
        "line of 50 MB": both | {"x.csv": b"7," * 25_000_000},
        "odd line ends": both | {"y.csv": both["y.csv"].replace(b"\n", b"\x0b\x0c\x1c")},
        "NULs": both | {"x.csv": bytes(10_000)},
        "UTF-16": both | {"x.csv": both["x.csv"].decode().encode("utf-16")},
        "no labels": both | {"y.csv": b""},
    }


def _npy(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    padded = header.encode("latin-1") + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(padded)) + padded + data


def special_npz() -> dict[str, bytes]:
    """NPZ files."""
    y, x = _saved_array(np.array([0, 1])), _saved_array(np.zeros((2, SIDE, SIDE, 3), np.uint8))
    objects = io.BytesIO()
    np.savez(objects, x=np.array([{}, []], dtype=object), y=np.array([0, 1]))

    def with_x(header: str, data: bytes = b"") -> bytes:
        return packed({"x.npy": _npy(header, data), "y.npy": y})

    shape = f"{SIDE}, {SIDE}, 3"
    whole = f"{{'descr': '|u1', 'fortran_order': False, 'shape': (2, {shape})}}"
    return {
        "objects": objects.getvalue(),
        "objects as labels": packed({"x.npy": x,
            "y.npy": _saved_array(np.array([{}, []], object), pickled=True)}),
        "10^12 images": with_x(whole.replace("(2,", "(1000000000000,")),
        "10^30 images": with_x(whole.replace("(2,", f"({10**30},")),
        "negative size": with_x(whole.replace("(2,", "(-2,")),
        "size that is no number": with_x(whole.replace("(2,", "('a',")),
        "type of 2 GB": with_x(whole.replace("|u1", "|V2000000000")),
        "unknown type": with_x(whole.replace("|u1", "|q9")),
        "structured": packed({"x.npy": x,
            "y.npy": _saved_array(np.zeros(2, dtype=[("a", "i4"), ("b", "f8")]))}),
        "dates as labels": packed({"x.npy": x,
            "y.npy": _saved_array(np.array(["2020", "NaT"], dtype="M8[Y]"))}),
        "complex images": packed({"x.npy": _saved_array(np.zeros((2, SIDE, SIDE), complex)),
            "y.npy": y}),
        "images of NaN": packed({"x.npy": _saved_array(np.full((2, SIDE, SIDE), np.nan)),
            "y.npy": y}),
        "bytes as labels": packed({"x.npy": x,
            "y.npy": _saved_array(np.array([b"\xff", b"a\0b"]))}),
        "labels that are not finite": packed({"x.npy": x,
            "y.npy": _saved_array(np.array([np.nan, np.inf]))}),
        "header that nests": with_x("(" * 5000),
        "header of code": with_x("__import__('os').system('true')"),
        "header of 60,000 letters": with_x(whole + " " * 60_000),
        "columns first": with_x(whole.replace("False", "True"), bytes(2 * SIDE * SIDE * 3)),
        "no dimensions": packed({"x.npy": _saved_array(np.array(1)),
            "y.npy": _saved_array(np.array(1))}),
        "no images": packed({"x.npy": _saved_array(np.zeros((0, SIDE, SIDE, 3))),
            "y.npy": _saved_array(np.zeros(0))}),
        "images of 2 x 2": packed({"x.npy": _saved_array(np.zeros((2, 2, 2), np.uint8)),
            "y.npy": y}),
        "images of 1 x 5,000": packed({"x.npy": _saved_array(np.zeros((2, 1, 5000), np.uint8)),
            "y.npy": y}),
        "no arrays": packed({}),
        "other members": packed({"x.npy": x, "y.npy": y, "../../evil": b"1", "readme.txt": b"1"}),
        "same array twice": _twice(x, y),
        "one array": x,
        "pickle": b"\x80\x04K\x01.",
        "bomb": zeroed_zip({"x.npy": _npy(whole.replace("(2,", "(6000000,"))},
            6_000_000 * SIDE**2 * 3),
    }  # fmt: skip


def special_archives() -> dict[str, Files]:
    """Archives, by the name under which you give them."""
    one = {"pets/cat/1.png": good_image()}
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, 8 * 10**9
    sparse = tarfile.TarInfo("pets/cat/1.png")
    sparse.type, sparse.size = tarfile.GNUTYPE_SPARSE, 0
    holes = bytearray(sparse.tobuf(tarfile.GNU_FORMAT))
    holes[482] = 1  # more of the map follows
    tars = {
        "escape": tarred(photos() | {"../../evil": b"1"}),
        "absolute": tarred(photos() | {"/tmp/tuner-evil": b"1"}),
        "link": tarred(one | {"pets/cat/x": b""}, tarfile.SYMTYPE, "/etc"),
        "hard link": tarred(one | {"pets/cat/x": b""}, tarfile.LNKTYPE, "pets/cat/1.png"),
        "device": tarred(one | {"pets/cat/x": b""}, tarfile.CHRTYPE),
        "pipe": tarred(one | {"pets/cat/x": b""}, tarfile.FIFOTYPE),
        "attribute of 5 MB": tarred(one | {"pets/dog/1.png": good_image()}, pax="a" * 5_000_000),
        "attribute of 8 GB": header.tobuf(tarfile.GNU_FORMAT) + bytes(10_000),
        "map that never ends": bytes(holes) + (bytes(504) + b"\x01" + bytes(7)) * 20_000,
        "2,000 nested headers": (
            header.tobuf(tarfile.GNU_FORMAT).replace(b"73465450000\0", b"00000000000\0") * 2000
        ),
        "1,000 empty files": _many(1_000),
        "zeros": bytes(50_000_000),
        "no tar": b"\x1f\x8b" + bytes(100),
    }
    found = {f"tar: {what}": {"pets.tar.gz": gzip.compress(data, 1)} for what, data in tars.items()}
    zips = {
        "bomb": zeroed_zip({"pets/cat/1.png": b""}, 1_200_000_000),
        "bomb of 6 x 10^10 claimed bytes": _claim(packed(one), 0xFFFFFFF0),
        "escape": packed(photos() | {"..\\..\\evil": b"1"}),
        "same name twice": packed(one)[:-22] + packed(one),
        "names of another script": packed(
            {f"p/{name}/1.png": good_image() for name in ("😀", "\x1b[2J", "a\nb", "é")}
        ),
        "CSV": packed({"faces/faces.csv": fer_csv(), "faces/README": b"1"}),
        "NPZ": packed({"x.npz": npz()}),
        "archive in it": packed({"pets.zip": packed(photos())}),
        "bzip2": packed(photos(), zipfile.ZIP_BZIP2),
        "LZMA": packed(photos(), zipfile.ZIP_LZMA),
        "no members": packed({}),
        "long name": packed({f"{'x' * 5000}/1.png": good_image()}),
        "deep": packed({"a/" * 3000 + "1.png": good_image()}),
    }
    return found | {f"zip: {what}": {"pets.zip": data} for what, data in zips.items()}


def zeroed_zip(files: Mapping[str, bytes], n_zeros: int) -> bytes:
    """A zip of one member, which so many zeros follow."""
    ((name, start),) = files.items()
    begin = zlib.compressobj(9, wbits=-15)
    raw = begin.compress(start) + begin.flush(zlib.Z_FULL_FLUSH) + zeros(n_zeros)[2:-4]
    crc = zlib.crc32(start)
    block = bytes(2**24)
    for _ in range(n_zeros >> 24):
        crc = zlib.crc32(block, crc)
    crc = zlib.crc32(bytes(n_zeros % 2**24), crc)
    sizes = struct.pack("<III", crc, len(raw), len(start) + n_zeros)
    common = struct.pack("<HHHHH", 20, 0, 8, 0, 33) + sizes + struct.pack("<HH", len(name), 0)
    local = b"PK\x03\x04" + common + name.encode() + raw
    central = (
        b"PK\x01\x02\x14\x03"
        + common
        + struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, 0)
        + name.encode()
    )
    return (
        local
        + central
        + b"PK\x05\x06"
        + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    )


def _claim(archive: bytes, size: int) -> bytes:
    data = bytearray(archive)
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(mark) + at
        data[start : start + 4] = size.to_bytes(4, "little")
    return bytes(data)


def _many(n: int) -> bytes:
    block = tarfile.TarInfo("pets/cat/00000000.png").tobuf(tarfile.USTAR_FORMAT)
    plain = int(block[148:154], 8) - 8 * ord("0")
    names = (f"{i:08}".encode() for i in range(n))
    blocks = (
        block[:9] + name + block[17:148] + b"%06o\0 " % (plain + sum(name)) + block[156:]
        for name in names
    )
    return b"".join(blocks) + bytes(1024)


def _twice(x: bytes, y: bytes) -> bytes:
    return packed({"x.npy": x, "y.npy": y, "z.npy": y}).replace(b"z.npy", b"y.npy")


def _with_chunk(png_file: bytes, name: bytes, payload: bytes, n: int = 1) -> bytes:
    return png_file[:33] + png_chunk(name, payload) * n + png_file[33:]


def _resized_jpeg(jpeg: bytes, side: int) -> bytes:
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">HH", side, side) + jpeg[at + 4 :]


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    written = io.BytesIO()
    picture.save(written, kind, **options)
    return written.getvalue()


def _saved_array(array: np.ndarray[Any, Any], *, pickled: bool = False) -> bytes:
    written = io.BytesIO()
    np.save(written, array, allow_pickle=pickled)
    return written.getvalue()
