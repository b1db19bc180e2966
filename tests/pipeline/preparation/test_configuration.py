"""Which space is searched, and what the command line changes in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.data.samples import make_card
from tuner.data.cards.card_files import card_folders, load_card
from tuner.data.own.made_card import made_card
from tuner.errors import ConfigurationError
from tuner.pipeline.preparation.configuration import load_configuration
from tuner.pipeline.preparation.space_files import space_path
from tuner.pipeline.run_options import RunOptions
from tuner.space.parsing.parse import load_space

CARD = make_card({"type": "npz", "path": "tiny.npz"}, size=8)
SPACES = Path(__file__).parents[3] / "search_spaces"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (None, "cats_dogs"),
        ("cnn", "cats_dogs"),
        ("my.models:build", "cats_dogs"),
        ("efficientnet_b2", "efficientnet_b2"),
        ("efficientnet_lite2", "efficientnet_b2"),
        ("auto", "cats_dogs"),
        ("cnn,efficientnet_lite2", "cats_dogs"),
        ("efficientnet_lite0, efficientnet_lite2", "efficientnet_b2"),
        ("baseline,efficientnet_lite2", "efficientnet_b2"),
        ("baseline", "cats_dogs"),
    ],
)
def test_backbone_brings_a_space_of_its_own(model: str | None, name: str) -> None:
    card = load_card("cats_dogs", card_folders())
    assert space_path(card, None, model).stem == name
    assert space_path(card, Path("mine.yaml"), model) == Path("mine.yaml")


@pytest.mark.parametrize("folder", ["my_photos", "cats_dogs"])
def test_own_folder_has_the_space_of_its_name_that_stands_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "search_spaces").mkdir()
    (tmp_path / "search_spaces" / f"{folder}.yaml").touch()
    card = made_card(tmp_path / folder, files=CARD.files, image=CARD.image)
    assert space_path(card, None) == Path("search_spaces", f"{folder}.yaml")


@pytest.mark.parametrize("is_checkout", [True, False])
@pytest.mark.parametrize("folder", ["cats_dogs", "efficientnet_b2"])
def test_own_folder_is_not_searched_with_the_space_that_comes_with_another_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, is_checkout: bool
) -> None:
    monkeypatch.chdir(SPACES.parent if is_checkout else tmp_path)
    card = made_card(tmp_path / folder, files=CARD.files, image=CARD.image)
    assert space_path(card, None).stem == "default"
    assert space_path(card, None, "efficientnet_b2").stem == "efficientnet_b2"


@pytest.mark.parametrize(
    ("model", "asked", "shape"),
    [
        (None, None, (96, 96, 3)),
        ("efficientnet_lite2", None, (260, 260, 3)),
        ("efficientnet_b7", None, (400, 400, 3)),
        ("efficientnet_lite2", (64, 80), (64, 80, 3)),
        (None, (224, 224), (224, 224, 3)),
    ],
)
def test_own_photos_are_read_in_the_size_of_the_model_unless_one_is_asked_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str | None,
    asked: tuple[int, int] | None,
    shape: tuple[int, int, int],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (500, 300)).save(tmp_path / "photos" / name / "a.png")
    options = RunOptions(dataset="photos", model=model, image_size=asked)
    card, file = load_configuration(options)
    assert card.image.shape == shape
    assert file.model == (model or "cnn")


def test_model_of_the_space_decides_on_the_size_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("L", (500, 300)).save(tmp_path / "photos" / name / "a.png")
    (tmp_path / "my.yaml").write_text("version: 1\nmodel: efficientnet_lite0\nspace: {}\n")
    card, _ = load_configuration(RunOptions(dataset="photos", space=Path("my.yaml")))
    assert card.image.shape == (224, 224, 1)


def test_set_changes_what_is_said_of_opponents(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("version: 1\nspace: {}\n", encoding="utf-8")
    file = load_space(tmp_path / "my.yaml", ["backbone.input_size=224", "backbone.weights=own.h5"])
    assert file.backbone == {"input_size": 224, "weights": "own.h5"}
    with pytest.raises(ConfigurationError, match=r"backbone.inputsize is not a known key"):
        load_space(tmp_path / "my.yaml", ["backbone.inputsize=224"])
