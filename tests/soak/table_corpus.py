"""Where the fuzzing of data without a card starts: tables in many dialects, lists, and arrays.

The lists name files.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from functools import cache

import numpy as np

from tests.soak.corpus import SIDE, Files, fer_csv, good_image, images, packed

N = 12


@cache
def tables() -> Files:
    """One table of pixels each, by the name that it is given under."""
    text = fer_csv().decode()
    values = np.random.default_rng(1).integers(0, 256, (N, SIDE * SIDE))
    rows = [",".join(map(str, row)) for row in values]
    numbered = ",".join(f"pixel{i}" for i in range(1, SIDE * SIDE + 1))
    labelled = "\n".join(f"{i % 3},{row}" for i, row in enumerate(rows)) + "\n"
    wide = f"label,{numbered}\n{labelled}"
    fractions = "\n".join(
        f"{i % 2}," + " ".join(f"{v / 255:.4f}" for v in row) for i, row in enumerate(values)
    )
    return {
        "wide.csv": wide.encode(),
        "bare.csv": labelled.encode(),
        "last.tsv": wide.replace(",", "\t").encode(),
        "semicolons.csv": wide.replace(",", ";").encode(),
        "fractions.csv": f"label,pixels\n{fractions}\n".encode(),
        "marked.csv": wide.encode("utf-16"),
        "words.csv": text.replace("\n0,", "\nHappy,")
        .replace("\n1,", "\nSAD,")
        .replace("\n2,", "\n,")
        .encode(),
        "parts.csv": text.replace("Training", "train")
        .replace("PublicTest", "val")
        .replace("PrivateTest", "Test")
        .encode(),
        "wide.csv.gz": gzip.compress(wide.encode()),
        "wide.csv.bz2": bz2.compress(wide.encode()),
        "wide.csv.xz": lzma.compress(wide.encode()),
    }


@cache
def lists() -> dict[str, Files]:
    """A folder `pets` with a table each."""
    names = [f"{i}.png" for i in range(N)]
    pictures = [good_image(), *list(images().values())[: N - 1]]
    inside = {f"pets/{name}": data for name, data in zip(names, pictures, strict=True)}
    below = {f"pets/images/{name}": data for name, data in zip(names, pictures, strict=True)}
    label = ("cat", "dog")
    plain = "".join(f"{name},{label[i % 2]}\n" for i, name in enumerate(names))
    full = "".join(
        f"{name},{label[i % 2]},{('train', 'val', 'test')[i % 3]},p{i // 3}\n"
        for i, name in enumerate(names)
    )
    stems = "".join(f"{i};{label[i % 2]}\n" for i in range(N))
    one_hot = "".join(f"{name},{i % 2},{1 - i % 2}\n" for i, name in enumerate(names))
    return {
        "plain": inside | {"pets/labels.csv": b"file,label\n" + plain.encode()},
        "bare": below | {"pets/labels.csv": plain.encode()},
        "full": below | {"pets/labels.csv": b"image,label,split,patient_id\n" + full.encode()},
        "stems": below | {"pets/labels.csv": b"id;breed\n" + stems.encode()},
        "one-hot": inside | {"pets/_classes.csv": b"filename, cat, dog\n" + one_hot.encode()},
    }


@cache
def arrays() -> Files:
    """A file `a.npz` or a folder `arrays` each; its files are by the name of the form."""
    rng = np.random.default_rng(2)
    x = rng.integers(0, 256, (N, SIDE, SIDE), dtype=np.uint8)
    y = (np.arange(N) % 2).reshape(N, 1)
    rgba = rng.integers(0, 256, (N, SIDE, SIDE, 4), dtype=np.uint8)
    medmnist = {
        "train_images": x[:6],
        "train_labels": y[:6],
        "val_images": x[6:9],
        "val_labels": y[6:9],
    }
    medmnist |= {"test_images": x[9:], "test_labels": y[9:]}
    return {
        "MedMNIST": _npz(**medmnist),
        "RGBA": _npz(X=rgba, y=y),
        "one-hot": _npz(images=x / 255, labels=np.eye(2)[y[:, 0]]),
        "first": _npz(arr_0=np.moveaxis(rgba[..., :3], -1, 1), arr_1=y[:, 0]),
        "deep": _npz(data=x.astype(np.uint16) * 16, target=np.array(["cat", "dog"])[y[:, 0]]),
        "extra": _npz(x_train=x, y_train=y, x_test=x, names=np.array(["cat", "dog"])),
    }


def _npz(**found: np.ndarray) -> bytes:
    written = io.BytesIO()
    np.savez_compressed(written, **found)
    return written.getvalue()


def npy_files() -> Files:
    """A folder of arrays."""
    x = np.random.default_rng(3).integers(0, 256, (N, SIDE, SIDE), dtype=np.uint8)
    found = {}
    for name, array in (("x", x), ("y", np.arange(N) % 2)):
        written = io.BytesIO()
        np.save(written, array)
        found[f"arrays/{name}.npy"] = written.getvalue()
    return found


def special_tables() -> Files:
    """Tables that no mutation would find, by the name that they are given under."""
    text = fer_csv()
    zeros = b"label,pixels\n" + bytes(1)
    long = b"emotion,pixels\n0," + b"7 " * 2_000_000
    return {
        "bomb.csv.gz": _gzip_bomb(2_000_000_000),
        "one line.csv.gz": gzip.compress(long),
        "empty.csv.gz": gzip.compress(b""),
        "in it.csv.gz": gzip.compress(gzip.compress(text)),
        "no gzip.csv.gz": text,
        "gzip.csv": gzip.compress(text),
        "a zip.csv": packed({"a.csv": text}),
        "zeros.csv": zeros,
        "two headers.csv": text + text,
        "100,000 columns.csv": b",".join(b"p%d" % i for i in range(100_000))
        + b"\n"
        + b"1," * 99_999
        + b"1\n",
        "same names.csv": b"label,"
        + b",".join([b"p1"] * 64)
        + b"\n"
        + b"1," * 64
        + b"1\n"
        + b"0," * 64
        + b"1\n",
        "endless.csv": b"0.1 " * 500_000,
        "huge numbers.csv": b"label,pixels\n0," + b"1e300 " * 64 + b"\n1," + b"1e308 " * 64 + b"\n",
        "formula.csv": b"label,pixels\n=1+1," + b"7 " * 16 + b"\n@x," + b"8 " * 16 + b"\n",
    }


def special_lists() -> dict[str, Files]:
    """Folders with tables that no mutation would find."""
    good = {f"pets/{i}.png": good_image() for i in range(4)}
    rows = "".join(f"{i}.png,{i % 2}\n" for i in range(4))

    def listed(text: str) -> Files:
        return good | {"pets/labels.csv": text.encode("utf-8", "surrogatepass")}

    return {
        "leads out": listed(f"file,label\n{rows}../x.png,1\n"),
        "absolute": listed(f"file,label\n{rows}/etc/passwd,1\n"),
        "device": listed(f"file,label\n{rows}/dev/zero,1\n"),
        "folder": listed(f"file,label\n{rows}.,1\n./,0\n//,1\n"),
        "the table itself": listed(f"file,label\n{rows}labels.csv,1\n"),
        "20,000 missing": listed(
            f"file,label\n{rows}" + "".join(f"x{i}.png,1\n" for i in range(20_000))
        ),
        "same file 20,000 times": listed("file,label\n" + rows * 5_000),
        "long name": listed(f"file,label\n{rows}{'x' * 5000}.png,1\n"),
        "deep name": listed(f"file,label\n{rows}{'x/' * 3000}x.png,1\n"),
        "NUL": listed(f"file,label\n{rows}a\0b.png,1\n"),
        "mark of direction": listed(f"file,label\n{rows}\u202egnp.x,1\n"),
        "two tables": listed(f"file,label\n{rows}")
        | {"pets/more.csv": f"file,label\n{rows}".encode()},
        "parts": good
        | {f"pets/{part}.csv": f"file,label\n{rows}".encode() for part in ("train", "test")},
        "2,000 classes": listed(
            "file,label\n" + "".join(f"{i % 4}.png,c{i}\n" for i in range(2_000))
        ),
        "web": listed("".join(f"https://x.org/{i}.png,{i % 2}\n" for i in range(9))),
    }


def _gzip_bomb(n: int) -> bytes:
    """A gzip file of a header line and n zeros."""
    squeeze = zlib.compressobj(9, wbits=31)
    begin = squeeze.compress(b"label,pixels\n0,")
    block = bytes(2**24)
    parts = [squeeze.compress(block) for _ in range(n // len(block))]
    return begin + b"".join(parts) + squeeze.flush()
