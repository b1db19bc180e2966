"""No two data sets share a folder of reports because of their names."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.data.samples import make_card
from tuner.data.own.made_card import OWN_DATA, named
from tuner.pipeline.preparation.data_names import keep_name, named_apart


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def name_of(target: str, out: str = "reports") -> str:
    """The name under which a folder's reports are kept, after a run on it."""
    Path(target).mkdir(parents=True, exist_ok=True)
    files = {"type": "class_folders", "path": str(Path(target).resolve())}
    card = make_card(files).model_copy(update={**named(Path(target).name), "source": OWN_DATA})
    found = named_apart(card, target, Path("data"), Path(out))
    assert named_apart(card, target, Path("data"), Path(out)) == found
    (Path(out) / found.name).mkdir(parents=True, exist_ok=True)
    keep_name(found, target, Path("data"), Path(out))
    return found.name


def test_ordinary_names_stay_as_they_are(place: Path) -> None:
    assert (
        name_of("my_photos")
        == name_of("./my_photos")
        == name_of(str(place / "my_photos"))
        == "my_photos"
    )
    assert name_of("фото") == "фото"


def test_names_that_would_be_alike_get_a_hash_of_their_place() -> None:
    names = [
        name_of(target)
        for target in ("my_photos", "My Photos", "a/my_photos", "b/my_photos", "my photos!")
    ]
    assert names[0] == "my_photos"
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"my_photos-[0-9a-f]{8}", name) for name in names[1:])
    assert [name_of(target) for target in ("my photos!", "my_photos")] == [names[-1], names[0]]
    assert name_of("a/my_photos", "elsewhere") == "my_photos"


def test_name_of_a_card_is_the_cards() -> None:
    assert re.fullmatch(r"digits-[0-9a-f]{8}", name_of("digits"))
    card = make_card({"type": "generator", "generator": "digits"}).model_copy(
        update={"name": "digits"}
    )
    assert named_apart(card, "digits", Path("data"), Path("reports")).name == "digits"


def test_data_that_were_moved_or_whose_reports_are_gone_leave_their_name() -> None:
    assert name_of("a/photos") == "photos"
    Path("a").rename("b")
    assert name_of("b/photos") == "photos"
    shutil.rmtree("reports/photos")
    assert name_of("c/photos") == "photos"
    assert name_of("b/photos") != "photos"


def test_data_and_reports_that_are_copied_together_keep_their_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [name_of("project/photos", "project/reports") for _ in range(2)] == ["photos", "photos"]
    shutil.copytree("project", "copy")
    monkeypatch.chdir("copy")
    assert name_of("photos") == "photos"
