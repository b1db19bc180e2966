"""The images that words of a command line stand for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuner.errors import ConfigurationError
from tuner.production.named_images import listed_images, named_images
from tuner.store.prediction_file import prediction_file


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("new/a.jpg", "new/sub/b.png", "new/notes.txt", "lists/c.png", "d [1].png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()


def names(*words: str) -> list[str]:
    return [image.name for image in named_images(words)]


def test_patterns_are_sorted_and_may_name_folders() -> None:
    assert names("new/*.jpg", "ne?") == ["new/a.jpg", "new/a.jpg", "new/notes.txt", "new/sub/b.png"]
    assert names("**/*.png") == ["d [1].png", "lists/c.png", "new/sub/b.png"]


def test_file_whose_name_reads_like_a_pattern_is_that_file() -> None:
    assert names("d [1].png", "*.gone") == ["d [1].png", "*.gone"]
    assert [image.name for image in listed_images(["*.png"])] == ["*.png"]


@pytest.mark.parametrize(
    "text",
    [
        "id,Path\n1,new/a.jpg\n2,c.png\n\n3,gone.png\n",
        "\ufeffpath\nnew/a.jpg\nc.png\ngone.png\n",
        "new/a.jpg\nc.png\ngone.png\n",
        'file,note\n"new/a.jpg",\nc.png\n gone.png ,x\n',
    ],
)
def test_list_of_paths_is_seen_from_here_then_from_the_list(text: str) -> None:
    Path("lists/list.csv").write_text(text, encoding="utf-8")
    assert names("lists/list.csv") == ["new/a.jpg", "lists/c.png", "gone.png"]


def test_list_that_a_pattern_matches_is_a_list_as_well() -> None:
    Path("lists/list.csv").write_text("path\nnew/a.jpg\n", encoding="utf-8")
    assert names("lists/*.csv") == ["new/a.jpg"]


def test_own_predictions_give_the_names_back_that_they_were_made_for() -> None:
    wanted = ["=1+1.png", "'=odd.png", " new/a.jpg", "-"]
    with prediction_file(Path("p.csv"), ("cat",)) as write:
        for name in wanted:
            write({"image": name, "class": "cat", "probabilities": {"cat": 1.0}})
    assert names("p.csv") == wanted


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,label\n1,cat\n", "list.csv: no column holds the paths of the images"),
        (b"\n\n", "list.csv: the list is empty"),
        (b"path\n\xff\n", "list.csv: cannot be read as a list of paths: "),
    ],
)
def test_list_without_paths_is_refused(content: bytes, message: str) -> None:
    Path("list.csv").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        names("list.csv")
    assert caught.value.message.startswith(message)


def test_web_address_is_no_path() -> None:
    (image,) = named_images(["https://example.org/a.png?x=[1]"])
    assert (image.name, image.is_address) == ("https://example.org/a.png?x=[1]", True)


@pytest.mark.parametrize("name", ["a\0b.png", "x" * 5000])
def test_name_that_no_file_can_have_is_left_to_the_decoder(name: str) -> None:
    assert names(name) == [name]
