"""Archives are unpacked whole or not at all, inside their folder and within limits."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.data.samples import random_images, write_fer, write_folders
from tuner.data.downloads.archive import ArchiveLimits, archive_stem, is_archive, unpack
from tuner.data.downloads.unpacked import unpacked
from tuner.data.load import load_images
from tuner.data.own.resolve import resolve
from tuner.errors import DataError

FILES = {"photos/cat/1.txt": b"a cat", "photos/dog/1.txt": b"a dog", "photos/empty.txt": b""}


def pack_zip(path: Path, files: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def tar_bytes(files: Mapping[str, bytes], *others: tarfile.TarInfo) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as file:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
        for info in others:
            file.addfile(info)
    return written.getvalue()


def special(kind: bytes, name: str = "photos/x", link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def refused(archive: Path, limits: ArchiveLimits | None = None) -> str:
    """The message; nothing may be left."""
    before = sorted(archive.parent.rglob("*"))
    with pytest.raises(DataError) as caught:
        unpack(archive, archive.parent / "out", limits or ArchiveLimits())
    assert sorted(archive.parent.rglob("*")) == before
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress, None])
def test_every_kind_is_unpacked_whatever_it_is_called(
    tmp_path: Path, compress: Callable[[bytes], bytes] | None
) -> None:
    archive = tmp_path / "photos.bin"
    if compress is None:
        pack_zip(archive, FILES)
    else:
        archive.write_bytes(compress(tar_bytes(FILES, special(tarfile.DIRTYPE, "photos/hollow"))))
    unpack(archive, tmp_path / "out")
    assert {name: (tmp_path / "out" / name).read_bytes() for name in FILES} == FILES
    assert (tmp_path / "out/photos/hollow").is_dir() is (compress is not None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "photos.bin"]


@pytest.mark.parametrize(
    "name", ["../evil", "photos/../../evil", "/evil", "..\\evil", "a/..", "\\evil"]
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_name_that_leads_out_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    archive = tmp_path / f"inner/a.{kind}"
    archive.parent.mkdir()
    if kind == "zip":
        pack_zip(archive, {"good": b"1", name: b"2"})
    else:
        archive.write_bytes(tar_bytes({"good": b"1", name: b"2"}))
    assert refused(archive) == f"a.{kind}, {name}: its name leads out of the folder"
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.BLKTYPE]
)
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes) -> None:
    archive = tmp_path / "a.tar"
    archive.write_bytes(tar_bytes(FILES, special(kind, link="photos/cat/1.txt")))
    assert (
        refused(archive)
        == "a.tar, photos/x: it is a link or a device; only files and folders are unpacked"
    )


@pytest.mark.parametrize("kind", ["zip", "tar", "folders"])
def test_folders_without_end_are_refused(tmp_path: Path, kind: str) -> None:
    archive, deep = tmp_path / "a.bin", "/".join(["d"] * 1200)
    if kind == "zip":
        pack_zip(archive, {"good": b"1", f"{deep}/1.txt": b"2"})
    elif kind == "tar":
        archive.write_bytes(
            tar_bytes({f"{deep}/1.txt": b"2"}, special(tarfile.SYMTYPE, link="/etc"))
        )
    else:
        archive.write_bytes(
            tar_bytes({}, special(tarfile.DIRTYPE, deep), special(tarfile.SYMTYPE, link="/etc"))
        )
    assert refused(archive).endswith(
        f"{'d/d' if kind == 'folders' else 'd/1.txt'}: it lies more than 64 folders deep"
    )
    pack_zip(archive, {"/".join(["d"] * 64): b"2"})
    unpack(archive, tmp_path / "out")


def test_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    archive, info = tmp_path / "a.zip", zipfile.ZipInfo("photos/x")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(info, "/etc/passwd")
    assert (
        refused(archive)
        == "a.zip, photos/x: it is a link or a device; only files and folders are unpacked"
    )


def test_encrypted_zip_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    pack_zip(archive, {"secret.png": b"1"})
    data = bytearray(archive.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    archive.write_bytes(data)
    assert refused(archive) == "a.zip, secret.png: it is encrypted"


def test_way_of_compression_that_python_lacks_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    pack_zip(archive, {"a.png": b"1"})
    data = bytearray(archive.read_bytes())
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(mark) + at] = 9  # Deflate64
    archive.write_bytes(data)
    assert refused(archive) == "a.zip, a.png: it is compressed in a way that Python cannot read"


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_limits_name_the_member_at_which_it_is_too_much(tmp_path: Path, kind: str) -> None:
    archive, files = tmp_path / f"a.{kind}", {f"{i}.txt": bytes(40_000) for i in range(4)}
    if kind == "zip":
        pack_zip(archive, files)
    else:
        archive.write_bytes(gzip.compress(tar_bytes(files)))
    assert (
        refused(archive, ArchiveLimits(n_members=2))
        == f"a.{kind}, 2.txt: it is one of more than 2 files and folders"
    )
    few = ArchiveLimits(total_bytes=100_000)
    assert refused(archive, few) == f"a.{kind}, 2.txt: with it the files take more than 0.0001 GB"
    bomb = ArchiveLimits(bomb_bytes=50_000, ratio=5)
    assert (
        refused(archive, bomb)
        == f"a.{kind}, 1.txt: with it the files take more than 5 times the archive's own size"
    )
    unpack(archive, tmp_path / "out", ArchiveLimits(bomb_bytes=160_000, ratio=5))


def test_zip_that_lies_about_a_size_is_damaged(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    pack_zip(archive, {"a.bin": bytes(50_000)})
    data = bytearray(archive.read_bytes())
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(mark) + at
        data[start : start + 4] = (10).to_bytes(4, "little")
    archive.write_bytes(data)
    assert refused(archive) == "a.zip, a.bin: the archive is damaged, or none at all"


@pytest.mark.parametrize("cut", [0.3, 0.7])
@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress, None])
def test_cut_archive_leaves_nothing(
    tmp_path: Path, compress: Callable[[bytes], bytes] | None, cut: float
) -> None:
    archive, noise = (
        tmp_path / "a.bin",
        {f"{i}.bin": random_images(1, 100, seed=i).tobytes() for i in range(3)},
    )
    if compress is None:
        pack_zip(archive, noise)
        whole = archive.read_bytes()
    else:
        whole = compress(tar_bytes(noise))
    archive.write_bytes(whole[: int(cut * len(whole))])
    assert refused(archive).endswith(": the archive is damaged, or none at all")


def test_tar_that_breaks_between_two_members_is_not_taken_for_whole(tmp_path: Path) -> None:
    archive, data = tmp_path / "a.tar", bytearray(tar_bytes({"1.txt": b"1", "2.txt": b"2"}))
    data[1024 + 150] ^= 255  # in the checksum of the second header
    archive.write_bytes(data)
    assert refused(archive) == "a.tar, 1.txt: the archive is damaged, or none at all"
    archive.write_bytes(data[:1024])
    assert refused(archive) == "a.tar, 1.txt: the archive is damaged, or none at all"


def test_checksum_behind_the_last_block_is_compared(tmp_path: Path) -> None:
    archive, data = tmp_path / "a.tar.gz", bytearray(gzip.compress(tar_bytes(FILES)))
    data[-6] ^= 255
    archive.write_bytes(data)
    assert refused(archive) == "a.tar.gz, photos/empty.txt: the archive is damaged, or none at all"


def test_endless_header_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    archive, info = tmp_path / "a.tar", special(tarfile.XHDTYPE, "././@PaxHeader")
    info.size = 8 * 10**9
    archive.write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096))
    assert refused(archive) == "a.tar: the archive is damaged, or none at all"


def test_headers_of_headers_are_refused(tmp_path: Path) -> None:
    archive, info = tmp_path / "a.tar", special(tarfile.XHDTYPE, "././@PaxHeader")
    archive.write_bytes(info.tobuf(tarfile.GNU_FORMAT) * 1500 + bytes(1024))
    assert refused(archive) == "a.tar: the archive is damaged, or none at all"


@pytest.mark.parametrize("names", [["a", "a"], ["a", "a/b"], ["a/b", "a"], ["a", "./a"]])
def test_two_members_of_one_name_are_refused(tmp_path: Path, names: list[str]) -> None:
    archive = tmp_path / "a.tar"
    one, other = (tar_bytes({name: b"1"})[:1024] for name in names)
    archive.write_bytes(one + other + bytes(1024))
    shown = names[1].removeprefix("./") if names[1] != "./a" else "./a"
    assert refused(archive) in {
        f"a.tar, {shown}: another member has the same name",
        f"a.tar, {shown}: cannot be unpacked: Not a directory",
    }


def test_hostile_names_are_shown_without_what_steers_a_terminal(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar"
    archive.write_bytes(
        tar_bytes({"\x1b[31m\n.png": b"1"}, special(tarfile.SYMTYPE, "\x1b[2J\nx", "/etc"))
    )
    assert (
        refused(archive)
        == r"a.tar, \x1b[2J\x0ax: it is a link or a device; only files and folders are unpacked"
    )
    archive.write_bytes(tar_bytes({"x" * 300: b"1"}))
    assert refused(archive) == f"a.tar, {'x' * 200}: cannot be unpacked: File name too long"


def test_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    archive = tmp_path / "a.zip"
    pack_zip(archive, FILES)
    monkeypatch.setattr(shutil, "copyfileobj", full)
    assert refused(archive) == f"a.zip: no space is left on the disk under {tmp_path} to unpack it"


def test_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    archive = tmp_path / "a.zip"
    pack_zip(archive, FILES)
    monkeypatch.setattr(shutil, "copyfileobj", interrupt)
    with pytest.raises(KeyboardInterrupt):
        unpack(archive, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [archive]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("photos.zip", "photos"),
        ("My.Photos.tar.gz", "My.Photos"),
        ("A.TGZ", "A"),
        ("a.txz", "a"),
        (".zip", ".zip"),
    ],
)
def test_archives_are_known_by_their_suffix(name: str, stem: str) -> None:
    assert is_archive(Path(name))
    assert archive_stem(Path(name)) == stem
    assert not is_archive(Path("photos.rar"))


def folder_archive(tmp_path: Path) -> Path:
    write_folders(tmp_path / "source/My photos", {"cat": 3, "dog": 3})
    shutil.make_archive(str(tmp_path / "pets"), "gztar", tmp_path / "source")
    return tmp_path / "pets.tar.gz"


def test_archive_in_place_of_a_folder_is_unpacked_once(tmp_path: Path) -> None:
    archive, root = folder_archive(tmp_path), tmp_path / "data"
    card = resolve(str(archive), [], root)
    assert (card.name, card.title) == ("pets", "pets")
    assert load_images(card, root).class_names == ("cat", "dog")
    (folder,) = (root / ".unpacked").glob("*/*")
    before = folder.stat().st_mtime_ns
    assert unpacked(archive, root) == folder / "My photos"
    assert folder.stat().st_mtime_ns == before


def test_changed_archive_is_unpacked_in_place_of_what_was_there(tmp_path: Path) -> None:
    archive, root = folder_archive(tmp_path), tmp_path / "data"
    first = unpacked(archive, root)
    archive.write_bytes(gzip.compress(tar_bytes({"a/b/c.txt": b"", "a/d/e.txt": b""})))
    stale = first.parent.parent / ".unpacking-killed"
    stale.mkdir()
    other = folder_archive(tmp_path / "other")
    kept = unpacked(other, root)
    after = unpacked(archive, root)
    assert after.name == "a"
    assert [path.parent for path in after.parent.parent.iterdir()] == [first.parent.parent]
    assert not first.exists()
    assert kept.is_dir()


def test_what_a_process_at_work_is_unpacking_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def no_locks(name: str, data_root: Path) -> Iterator[bool]:
        yield False

    monkeypatch.setattr("tuner.data.downloads.unpacked.locked", no_locks)
    path, root = folder_archive(tmp_path), tmp_path / "data"
    first = unpacked(path, root)
    path.write_bytes(gzip.compress(tar_bytes({"a/b/c.txt": b"", "a/d/e.txt": b""})))
    assert unpacked(path, root).name == "a"
    assert first.is_dir()


def test_one_csv_in_an_archive_stands_for_it(tmp_path: Path) -> None:
    write_fer(tmp_path / "faces.csv", [0, 1, 0, 1])
    pack_zip(
        tmp_path / "faces.zip",
        {"faces/faces.csv": (tmp_path / "faces.csv").read_bytes(), "__MACOSX/x": b""},
    )
    card = resolve(str(tmp_path / "faces.zip"), [], tmp_path / "data")
    assert len(load_images(card, tmp_path / "data").images) == 4


def test_one_npz_in_an_archive_stands_for_it(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=random_images(2), y=[0, 1])
    pack_zip(tmp_path / "x.zip", {"x.npz": (tmp_path / "x.npz").read_bytes()})
    assert unpacked(tmp_path / "x.zip", tmp_path / "data").name == "x.npz"


def test_single_class_folder_is_not_entered(tmp_path: Path) -> None:
    pack_zip(tmp_path / "x.zip", {"cat/1.png": b""})
    assert unpacked(tmp_path / "x.zip", tmp_path / "data").parent.parent.name == ".unpacked"


def test_empty_archive_is_refused(tmp_path: Path) -> None:
    pack_zip(tmp_path / "x.zip", {})
    with pytest.raises(DataError) as caught:
        unpacked(tmp_path / "x.zip", tmp_path / "data")
    assert caught.value.message == "x.zip: the archive is empty"
