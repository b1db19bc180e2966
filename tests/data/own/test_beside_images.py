"""What lies beside the images of a folder: files, links, archives, folders of the tool."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.data.layouts import NO_IMAGES, SYSTEM, Read, picture, write
from tests.data.own.layouts import load, refusal, told
from tuner.data.load import load_images
from tuner.data.own.resolve import resolve
from tuner.errors import DataError


def test_each_reason_for_no_image_has_its_own_message(tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    assert refusal(tmp_path, [])[0] == "the folder is empty"
    (tmp_path / "given/cat").mkdir()
    assert refusal(tmp_path, [])[0] == "there are no images; cat/ is empty"
    (tmp_path / "given/photos.zip").write_bytes(b"PK")
    assert refusal(tmp_path, []) == (
        "there are no images, but an archive, photos.zip",
        "name the archive instead of the folder; it is unpacked for you.",
    )
    heic = b"\0\0\0\x18ftypheic" + bytes(20)
    for name in ("cat", "dog"):
        (tmp_path / "given" / name).mkdir(exist_ok=True)
        (tmp_path / "given" / name / "1.heic").write_bytes(heic)
        (tmp_path / "given" / name / "2.tif").write_bytes(b"II*\0" + bytes(20))
    message, hint = refusal(tmp_path, [])
    start = "there are 4 files in class folders, and none can be read as an image: "
    assert message.startswith(start)
    reasons = message.removeprefix(start)
    assert reasons.count("(2)") == 2
    assert "HEIC" in reasons
    assert "TIFF" in reasons
    assert hint


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS"),
        (b"\n<!DOCTYPE html><html>", "web page"),
        (bytes(128) + b"DICM", "DICOM"),
        (b"what else", "not an image"),
    ],
)
def test_what_is_in_place_of_an_image_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    write(tmp_path / "given", ["cat/*.png 2", "dog/*.png 2"])
    for path in (tmp_path / "given/cat").iterdir():
        path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    assert caught.value.message.startswith(
        'given: none of the 2 files of class "cat" can be read as an image: '
    )
    assert reason in caught.value.message
    assert caught.value.message.endswith(" (2)")


def test_links_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given/cat").symlink_to(tmp_path / "gone")
    assert (
        refusal(tmp_path, [])[0]
        == "there are no images; cat is left out, since the link leads nowhere"
    )
    write(tmp_path / "given", ["dog/*.png 2", "fish/*.png 2"])
    assert [one.text for one in load(tmp_path).left_out] == [
        "1 file left out, since the link leads nowhere: cat"
    ]


def test_folder_that_may_not_be_opened_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "given", ["cat/*.png 2", "dog/*.png 2", "dog/more/*.png 2"])
    listed = os.scandir

    def guarded(path: str) -> object:
        if str(path).endswith(("more", "closed")):
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert [one.text for one in load(tmp_path).left_out] == [
        "0 files left out, since it cannot be opened (Permission denied): dog/more/"
    ]
    write(tmp_path, ["closed/cat/*.png 2"])
    with pytest.raises(DataError) as caught:
        load(tmp_path, "closed")
    assert (
        caught.value.message
        == f"{tmp_path / 'closed'}: the folder cannot be opened: Permission denied"
    )


def test_files_beside_images_are_no_broken_photos(tmp_path: Path) -> None:
    beside = [
        "a.xml",
        "a.json",
        "a.txt",
        "a.csv",
        "a.md",
        "Thumbs.db",
        ".DS_Store",
        "desktop.ini",
        "._a.jpg",
    ]
    write(
        tmp_path / "given",
        [
            "cat/*.png 3",
            "dog/*.png 3",
            "cat/.ipynb_checkpoints/a.png",
            *(f"cat/{n}" for n in beside),
        ],
    )
    for _ in range(2):  # decoded, then from the cache
        images = load(tmp_path)
        assert images.unreadable == ()
        assert told(images).left_out == {SYSTEM: 5, NO_IMAGES: 5}


def test_image_under_the_suffix_of_a_text_is_still_read(tmp_path: Path) -> None:
    write(
        tmp_path / "given",
        ["cat/*.png 2", "dog/*.png 2", "cat/a.txt", "cat/b.json", "cat/no_suffix"],
    )
    for name in ("a.txt", "no_suffix"):
        (tmp_path / "given/cat" / name).write_bytes(picture(90))
    shutil.copytree(
        tmp_path / "given/cat",
        tmp_path / "given/fish",
        ignore=shutil.ignore_patterns("*.png", "b.json", "no*"),
    )
    images = load(tmp_path)
    assert [origin for origin in images.origins if "png" not in origin] == [
        "cat/a.txt",
        "cat/no_suffix",
        "fish/a.txt",
    ]
    assert told(images).left_out == {NO_IMAGES: 1}


def test_text_that_begins_like_an_image_is_no_broken_photo(tmp_path: Path) -> None:
    write(tmp_path / "given", ["cat/*.png 2", "dog/*.png 2", "cat/cars.txt"])
    (tmp_path / "given/cat/cars.txt").write_text("BMW 320, BMW 520")
    images = load(tmp_path)
    assert images.unreadable == ()
    assert [one.text for one in images.left_out] == [
        "1 file is not an image and is ignored: cat/cars.txt"
    ]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", ["dogs/*.png 3"])
    write(tmp_path / "given", ["cat/*.png 3", "dog/keep.png"])
    (tmp_path / "given/dog/more").symlink_to(tmp_path / "elsewhere/dogs")
    (tmp_path / "given/dog/again").symlink_to(tmp_path / "elsewhere/dogs")
    (tmp_path / "given/cat/up").symlink_to(tmp_path / "given")
    (tmp_path / "given/cat/all").symlink_to("/")
    images = load(tmp_path)
    assert told(images).parts == {"": 7}
    assert [one.names for one in images.left_out] == [("cat/all/", "cat/up/", "dog/more/")]
    assert images.left_out[0].reason == "behind a link to a folder that is already read"


def test_folders_of_the_tool_are_no_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = [
        "cat/*.png 2",
        "dog/*.png 2",
        "datasets/data/x.txt",
        "reports/given/r/gallery/*.png 2",
        "search_spaces/a.yaml",
    ]
    write(tmp_path / "given", [*layout, "results/given/data.html"])
    monkeypatch.chdir(tmp_path / "given")
    card = resolve(".", [], Path("datasets/data"))
    assert load_images(card, Path("datasets/data")).class_names == ("cat", "dog")
    # Elsewhere a folder of this name is a class like any other, unless it holds what the tool
    # writes.
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "given", ["search_spaces/*.png 2"])
    shutil.rmtree(tmp_path / "given/datasets")
    (tmp_path / "given/reports/given/data.html").write_text("")
    assert load(tmp_path).class_names == ("cat", "dog", "search_spaces")


def test_zip_inside_a_zip_is_unpacked(tmp_path: Path) -> None:
    write(tmp_path, [f"{part}/{c}.*.jpg 3" for part in ("train", "test") for c in ("cat", "dog")])
    for part in ("train", "test"):
        shutil.make_archive(str(tmp_path / part), "zip", tmp_path, part)
    with zipfile.ZipFile(tmp_path / "given.zip", "w") as packed:
        for name in ("train.zip", "test.zip"):
            packed.write(tmp_path / name, name)
        packed.writestr("sampleSubmission.csv", "id,label\n1,0\n")
    for _ in range(2):  # unpacked, then found
        assert told(load(tmp_path, "given.zip")) == Read(
            classes=("cat", "dog"), parts={"train": 6, "test": 6}, left_out={NO_IMAGES: 1}
        )


def test_what_lies_beside_a_folder_in_an_archive_is_accounted_for(tmp_path: Path) -> None:
    write(tmp_path / "source", ["pets/cat/*.png 2", "pets/dog/*.png 2", "LICENSE"])
    shutil.make_archive(str(tmp_path / "given"), "zip", tmp_path / "source")
    assert told(load(tmp_path, "given.zip")).left_out == {NO_IMAGES: 1}
