"""Tables that name image files: each is read, or refused with a hint that fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.samples import random_images
from tuner.data.cache.cache_folder import LIMIT_VARIABLE
from tuner.data.cards.card import Card
from tuner.data.decoding.streaming import StreamedImages
from tuner.data.images import Images
from tuner.data.load import load_images
from tuner.data.own.resolve import resolve
from tuner.data.tables.file_finder import FileFinder, plain_name
from tuner.errors import DataError

N = 6
SIDE = 8


def write_images(folder: Path, names: Sequence[str]) -> None:
    for image, name in zip(random_images(len(names), SIDE, 3), names, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / name, format="PNG")


def card_of(path: Path) -> Card:
    return resolve(str(path), [], path.parent / "data")


def load(path: Path) -> Images:
    return load_images(card_of(path), path.parent / "data")


def refused(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        load(path)
    return caught.value


def left_out(images: Images) -> list[str]:
    return [one.text for one in images.left_out]


def write(root: Path, header: str, row: str, *, folder: str = "", suffix: str = ".png") -> Path:
    """A folder `pets` with six images and a table; `{i}` and `{label}` stand in the row."""
    pets = root / "pets"
    write_images(pets / folder, [f"{i}{suffix}" for i in range(N)])
    rows = [
        row.format(i=i, label=("cat", "dog")[i % 2], part=("train", "test")[i // 4])
        for i in range(N)
    ]
    (pets / "labels.csv").write_text("\n".join([*([header] if header else []), *rows]) + "\n")
    return pets


FORMS = {
    "plain": ("file,label", "{i}.png,{label}", ""),
    "other words": ("image_path;species", "{i}.png;{label}", ""),
    "label first": ("class,filename", "{label},{i}.png", ""),
    "images folder": ("image,label", "{i}.png,{label}", "images"),
    "any folder": ("image,label", "{i}.png,{label}", "jpegs"),
    "folder in the name": ("image,label", "pics/{i}.png,{label}", "pics"),
    "as from Windows": ("image,label", "pics\\{i}.png,{label}", "pics"),
    "with a dot": ("image,label", "./{i}.png,{label}", ""),
    "no suffix": ("id,breed", "{i},{label}", "train"),
    "quoted": ('"file name","label"', '"{i}.png","{label}"', ""),
    "without header": ("", "{i}.png,{label}", ""),
    "numbered": (",file,label", "{i},{i}.png,{label}", ""),
    "blanks": ("file, label", "{i}.png, {label}", ""),
    "one-hot": ("filename, cat, dog", "{i}.png,{label}", ""),
    "number and name": ("file,class_id,class_name", "{i}.png,7{i},{label}", ""),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("target", ["folder", "table"])
def test_labels_come_from_the_table(tmp_path: Path, form: str, target: str) -> None:
    header, row, folder = FORMS[form]
    pets = write(tmp_path, header, row, folder=folder)
    if form == "one-hot":
        text = (pets / "labels.csv").read_text()
        (pets / "labels.csv").write_text(
            text.replace("png,cat", "png, 1, 0").replace("png,dog", "png, 0, 1")
        )
    loaded = load(pets if target == "folder" else pets / "labels.csv")
    np.testing.assert_array_equal(loaded.images, random_images(N, SIDE, 3))
    assert loaded.labels.tolist() == [0, 1] * 3
    assert loaded.class_names == ("cat", "dog")
    assert [facts.format for facts in loaded.files] == ["PNG"] * N
    assert left_out(loaded) == []


def test_split_and_group_come_from_the_table(tmp_path: Path) -> None:
    pets = write(tmp_path, "image,label,split,patient_id", "{i}.png,{label},{part},p{i}")
    for target in (pets, pets / "labels.csv"):
        loaded = load(target)
        assert loaded.parts.tolist() == ["train"] * 4 + ["test"] * 2
        assert loaded.groups.tolist() == [f"p{i}" for i in range(N)]
        assert loaded.left_out == ()


def test_group_stays_with_its_image_where_a_file_cannot_be_read(tmp_path: Path) -> None:
    pets = write(tmp_path, "image,label,patient_id", "{i}.png,{label},p{i}")
    (pets / "1.png").write_bytes(b"no image")
    loaded = load(pets)
    assert loaded.unreadable == ("1.png: not an image",)
    assert loaded.groups.tolist() == ["p0", "p2", "p3", "p4", "p5"]


def test_everything_that_is_there_is_accounted_for(tmp_path: Path) -> None:
    pets = write(tmp_path, "image,label", "{i}.png,{label}", folder="train")
    write_images(pets / "test", ["x.png", "y.png"])
    (pets / "sample_submission.csv").write_text("image\nx.png\n")
    (pets / "LICENSE").write_text("free")
    (pets / "test/Thumbs.db").write_bytes(b"")
    (pets / "moved").symlink_to(pets / "nowhere")
    with (pets / "labels.csv").open("a") as file:
        file.write("gone.png,cat\n0.png,cat\n5.png,\n1.png,cat\n")
    for _ in range(2):  # decoded, then from the cache
        loaded = load(pets)
        assert left_out(loaded) == [
            "1 file left out, named by the table, but not there: gone.png",
            "1 file left out, without a label: train/5.png",
            "1 row left out, named twice: train/0.png",
            "2 files left out, named in no row: test/x.png, test/y.png",
            '1 file left out, tables without the column "label": sample_submission.csv (1 row)',
            "1 file is not an image and is ignored: LICENSE",
            "1 file left out, since the link leads nowhere: moved",
            "1 file left out, hidden or made by the system: test/Thumbs.db",
        ]
    # Under two labels it counts twice; the policies of a card decide.
    assert loaded.origins[-1] == "train/1.png (labels.csv, line 11)"
    write_images(pets / "test", ["z.png"])
    assert "3 files left out, named in no row: test/x.png, test/y.png, test/z.png" in left_out(
        load(pets)
    )


@pytest.mark.parametrize("parts", [("train", "test"), ("train", "valid", "test")])
@pytest.mark.parametrize("place", ["{part}.csv", "{part}/_classes.csv"])
def test_each_part_may_have_a_table(tmp_path: Path, parts: tuple[str, ...], place: str) -> None:
    pets = tmp_path / "pets"
    for part in parts:
        names = [f"{part}{i}.png" for i in range(4)]
        write_images(pets / part, names)
        start = "" if "/" in place else f"{part}/"
        rows = [f"{start}{name},{i % 2},{1 - i % 2}" for i, name in enumerate(names)]
        (pets / place.format(part=part)).write_text("\n".join(["filename,cat,dog", *rows]))
    loaded = load(pets)
    roles = {"valid": "validation"}
    assert Counter(loaded.parts.tolist()) == {roles.get(part, part): 4 for part in parts}
    assert loaded.class_names == ("cat", "dog")
    assert loaded.left_out == ()


def test_one_wrapper_folder_is_passed(tmp_path: Path) -> None:
    write(tmp_path / "outer", "image,label", "{i}.png,{label}")
    card = card_of(tmp_path / "outer")
    assert (card.name, card.files.type) == ("outer", "file_list")


def test_class_folders_win_where_the_table_says_the_same(tmp_path: Path) -> None:
    pets = tmp_path / "pets"
    names = [f"{label}/{i}.png" for label in ("cat", "dog") for i in range(3)]
    write_images(pets, names)
    (pets / "pets.csv").write_text("\n".join(["path,label", *(f"{n},{n[:3]}" for n in names)]))
    assert card_of(pets).files.type == "class_folders"
    (pets / "pets.csv").write_text(
        "\n".join(["path,label", *(f"{n},{i % 3}" for i, n in enumerate(names))])
    )
    assert card_of(pets).files.type == "file_list"


@pytest.mark.parametrize(
    ("row", "message", "hint"),
    [
        (
            "https://x.org/{i}.jpg,{label}",
            "it names addresses on the web",
            "download the images first",
        ),
        (
            "far/{i}.jpg,{label}",
            "it names files such as far/0.jpg, but none of them exists",
            "put the images into",
        ),
        (
            "/kaggle/input/{i}.jpg,{label}",
            "it names files outside of its folder",
            "write paths relative to the table's folder",
        ),
        (
            "C:\\x\\{i}.jpg,{label}",
            "it names files outside of its folder",
            "write paths relative to the table's folder",
        ),
        (
            "{i},{label}",
            "expected a column of labels and pixels, or of files; found file, label",
            "name the columns",
        ),
    ],
)
def test_table_without_its_files_is_refused(
    tmp_path: Path, row: str, message: str, hint: str
) -> None:
    pets = write(tmp_path, "file,label", row)
    for i in range(N):
        (pets / f"{i}.png").unlink()
    error = refused(pets / "labels.csv")
    assert message in error.message
    assert error.hint.startswith(hint)


def test_label_that_is_not_clear_is_asked_about(tmp_path: Path) -> None:
    pets = write(tmp_path, "file,age,weight", "{i}.png,{i},3")
    error = refused(pets / "labels.csv")
    assert error.message == (
        "labels.csv: it names files, but several columns may hold their labels; found file, age,"
        " weight"
    )
    assert "{type: file_list, path: FILE, file_column: ..., label_column: ...}" in error.hint


def test_image_of_several_classes_is_refused_by_its_line(tmp_path: Path) -> None:
    pets = write(tmp_path, "file,cat,dog", "{i}.png,1,0")
    rows = [f"{i}.png,{i % 2},{1 - i % 2}" for i in range(300)]
    (pets / "labels.csv").write_text("\n".join(["file,cat,dog", *rows, "0.png,1,1"]))
    assert refused(pets).message == "labels.csv, line 302: it has several classes, cat, dog"


@pytest.mark.parametrize(
    "name", ["../out.png", "/etc/passwd", "C:/x.png", "a/../../out.png", "..\\out.png"]
)
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    pets = write(tmp_path, "image,label", "{i}.png,{label}")
    write_images(tmp_path, ["out.png"])
    with (pets / "labels.csv").open("a") as file:
        file.write(f"{name},cat\n")
    error = refused(pets)
    shown = name.replace("\\", "/")
    assert error.message == f"labels.csv, line 8: {shown} leads out of the data's folder"
    assert plain_name(name) is None


def test_name_without_suffix_means_the_only_file_of_that_name(tmp_path: Path) -> None:
    write_images(tmp_path, ["a.png", "b.png", "b.jpg"])
    (tmp_path / "a.xml").write_text("boxes")
    finder = FileFinder(tmp_path)
    assert finder.path("a") == str(tmp_path / "a.png")
    assert finder.path("b") is None
    assert finder.path("b.jpg") == str(tmp_path / "b.jpg")
    assert finder.path("gone/a") is None


def test_images_may_be_spread_over_several_folders(tmp_path: Path) -> None:
    skin = tmp_path / "skin"
    write_images(skin / "images_part_1", [f"{i}.jpg" for i in range(3)])
    write_images(skin / "images_part_2", [f"{i}.jpg" for i in range(3, 6)])
    rows = [f"{i},l{i // 2},{('mel', 'nv')[i % 2]}" for i in range(6)]
    (skin / "metadata.csv").write_text("\n".join(["image_id,lesion_id,dx", *rows]))
    loaded = load(skin)
    assert loaded.labels.tolist() == [0, 1] * 3
    assert loaded.groups.tolist() == ["l0", "l0", "l1", "l1", "l2", "l2"]
    assert loaded.left_out == ()


def test_file_of_the_same_name_in_another_part_is_not_taken(tmp_path: Path) -> None:
    pets = tmp_path / "pets"
    write_images(pets / "train", [f"{i}.png" for i in range(4)])
    write_images(pets / "test", [f"{i}.png" for i in range(6)])
    rows = [f"{i}.png,{i % 2}" for i in range(6)]
    for table in ("train.csv", "labels.csv"):
        (pets / table).write_text("\n".join(["file,label", *rows]))
        loaded = load(pets / table)
        if table == "train.csv":
            assert loaded.origins == tuple(f"{i}.png" for i in range(4))
            assert "2 files left out, named by the table, but not there: 4.png, 5.png" in left_out(
                loaded
            )


def test_table_of_boxes_is_refused(tmp_path: Path) -> None:
    pets = write(
        tmp_path, "filename,width,height,class,xmin,ymin,xmax,ymax", "{i}.png,9,9,{label},1,2,3,4"
    )
    error = refused(pets / "labels.csv")
    assert error.message.startswith("labels.csv: it holds bounding boxes")


def test_large_sets_are_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pets = write(tmp_path, "image,label,patient_id", "{i}.png,{label},p{i}")
    whole = load(pets)
    monkeypatch.setenv(LIMIT_VARIABLE, "1B")
    card = card_of(pets).model_copy(update={"name": "streamed"})
    loaded = load_images(card, tmp_path / "data")
    assert isinstance(loaded.images, StreamedImages)
    np.testing.assert_array_equal(loaded.images[:], whole.images)
    assert loaded.groups.tolist() == whole.groups.tolist()


def test_class_that_no_file_shows_is_named(tmp_path: Path) -> None:
    pets = write(tmp_path, "image,label", "{i}.png,{label}")
    for i in (1, 3, 5):
        (pets / f"{i}.png").write_bytes(b"no image")
    assert 'none of the 3 files of class "dog"' in refused(pets).message
