"""Images sorted into folders, however they and their classes are called."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from tests.cli.calling import HOSTILE_CLASSES
from tuner.data.decoding.decode import UnreadableImageError
from tuner.errors import ConfigurationError
from tuner.production.sorted_folders import SortedFolders, folder_names

HOSTILE = (
    *HOSTILE_CLASSES,
    *(
        "..",
        "../../up",
        "/etc",
        "a/b",
        "a\\b",
        ".hidden",
        "CON",
        "con",
        "Cat",
        "cat",
        " ",
        "x" * 300,
    ),
    *("unsure", "name.", "\u202egnp.exe"),
)


def tree(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in root.rglob("*")
        if path.is_file()
    }


def image(folder: Path, name: str, content: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(content)
    return path


def test_hostile_classes_have_a_folder_each_and_none_leads_out(tmp_path: Path) -> None:
    root = tmp_path / "sorted"
    sorter = SortedFolders(root, HOSTILE, links=False)
    for number, name in enumerate((*HOSTILE, None)):
        sorter.put(image(tmp_path / "in", f"{number}.png", str(number)), name)
    assert {path.name for path in tmp_path.iterdir()} == {"in", "sorted"}
    folders = [path.name for path in root.iterdir()]
    assert len(folders) == len(HOSTILE) + 1 == len({name.casefold() for name in folders})
    assert all(len(path.relative_to(root).parts) == 2 for path in root.rglob("*.png"))


def test_plain_classes_keep_their_names() -> None:
    names = ("cat", "naïve ünï 😀", "Große Katze", "3")
    assert folder_names(names) == {**{name: name for name in names}, None: "unsure"}


@pytest.mark.parametrize("links", [False, True])
def test_nothing_is_replaced_and_the_same_image_comes_once(tmp_path: Path, links: bool) -> None:
    root = tmp_path / "sorted"
    first, second = (image(tmp_path / name, "1.png", name) for name in ("a", "b"))
    for _ in range(2):
        sorter = SortedFolders(root, ("cat",), links=links)
        for one in (first, second):
            sorter.put(one, "cat")
    assert (sorter.n_put, sorter.n_there) == (0, 2)
    assert tree(root) == {"cat/1.png": "a", "cat/1-2.png": "b"}
    assert (root / "cat/1.png").is_symlink() is links
    assert tree(tmp_path / "a") == {"1.png": "a"}


def test_name_as_long_as_a_system_takes_is_copied(tmp_path: Path) -> None:
    name = f"{'x' * 251}.png"
    sorter = SortedFolders(tmp_path / "sorted", ("cat",), links=False)
    sorter.put(image(tmp_path / "a", name, "a"), "cat")
    assert tree(tmp_path / "sorted") == {f"cat/{name}": "a"}
    # A second one of this name has no room for its number.
    with pytest.raises(UnreadableImageError, match=r"cannot be put into .*: File name too long"):
        sorter.put(image(tmp_path / "b", name, "b"), "cat")
    assert tree(tmp_path / "sorted") == {f"cat/{name}": "a"}


def test_image_that_is_gone_is_its_own_fault(tmp_path: Path) -> None:
    sorter = SortedFolders(tmp_path / "sorted", ("cat",), links=False)
    with pytest.raises(UnreadableImageError, match=r"cannot be put into .*: No such file"):
        sorter.put(tmp_path / "gone.png", "cat")
    assert tree(tmp_path / "sorted") == {}


def test_classes_that_a_system_takes_for_one_have_two_folders() -> None:
    names = folder_names(("\u00e9", "e\u0301", "E\u0301"))
    composed = {unicodedata.normalize("NFC", name or "").casefold() for name in names.values()}
    assert len(composed) == 4


def test_link_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sorted").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "sorted/cat").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="cat: is a link"):
        SortedFolders(tmp_path / "sorted", ("cat",), links=False).put(
            image(tmp_path / "in", "1.png", "x"), "cat"
        )
    assert not list((tmp_path / "elsewhere").iterdir())


def test_file_in_the_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "sorted").touch()
    with pytest.raises(ConfigurationError, match="cannot be put there: "):
        SortedFolders(tmp_path / "sorted", ("cat",), links=False).put(
            image(tmp_path / "in", "1.png", "x"), "cat"
        )
