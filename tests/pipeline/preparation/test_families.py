"""Which families are searched together, and what each of them brings."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.images import tiny_dataset
from tests.planning.contenders import STATED
from tuner.data.cards.card import Card
from tuner.data.decoding.image_settings import ImageSettings
from tuner.errors import ConfigurationError
from tuner.models.backbones import weights
from tuner.models.backbones.published_weights import DOWNLOADS
from tuner.pipeline.preparation.configuration import load_configuration
from tuner.pipeline.preparation.families import with_families, with_fitting
from tuner.pipeline.run_options import RunOptions
from tuner.records.results import PresetName
from tuner.space.definition import SearchSpaceFile
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.families import built
from tuner.space.parsing.parse import parse_space
from tuner.space.sampling import has_setting

CARD = tiny_dataset().card
VALUES = {"filters": [4], "dense_units": 8, "dropout": 0.0, "learning_rate": 0.01}


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two photos of 200 x 120 pixels in an otherwise empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return make_photos(tmp_path / "photos", (200, 120))


def make_photos(folder: Path, size: tuple[int, int]) -> Path:
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        Image.new("RGB", size).save(folder / name / "a.png")
    return folder


def names(file: SearchSpaceFile) -> list[str]:
    return [family.name for family in file.families]


def file_of(models: str, more: str = "", card: Card = CARD) -> SearchSpaceFile:
    text = f"version: 1\nmodel: {models}\nspace: {{dropout: [0.1, 0.2]}}\n{more}"
    return with_families(parse_space(parse_document(text, "my.yaml")), card)


def test_own_photos_are_searched_with_what_is_installed(photos: Path) -> None:
    _, file = load_configuration(RunOptions(dataset=str(photos)))
    assert names(file) == ["cnn", "efficientnet_lite2", "efficientnet_lite0"]
    assert file.space.parameters[0].choices == tuple(names(file))
    assert file.model == "cnn"


def test_what_a_run_may_download_while_it_is_interrupted_changes_no_family(
    photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "keras" / "models").mkdir(parents=True)
    (tmp_path / "keras" / "models" / "efficientnetb2_notop.h5").touch()
    _, file = load_configuration(RunOptions(dataset=str(photos)))
    assert names(file) == ["cnn", "efficientnet_lite2", "efficientnet_lite0"]


def test_dinov2_is_searched_once_its_weights_were_downloaded(photos: Path) -> None:
    file = DOWNLOADS["dinov2_small"].file
    file.parent.mkdir(parents=True)
    file.touch()
    _, space = load_configuration(RunOptions(dataset=str(photos)))
    assert names(space) == ["cnn", "efficientnet_lite2", "efficientnet_lite0", "dinov2_small"]


def test_what_the_comparison_downloads_is_not_searched_once_it_is_there(photos: Path) -> None:
    file = DOWNLOADS["dinov2_small"].file
    file.parent.mkdir(parents=True)
    text = "version: 1\nmodel: auto\nspace: {dropout: [0.1, 0.2]}\ncompare: [dinov2_small]\n"
    space = parse_space(parse_document(text, "my.yaml"))
    large = CARD.model_copy(update={"image": ImageSettings(height=96, width=96, channels=3)})
    before = with_fitting(space, large)
    file.touch()
    assert with_fitting(space, large) == before


def test_without_weights_at_hand_the_cnn_is_searched_alone(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)
    _, file = load_configuration(RunOptions(dataset=str(photos)))
    assert (file.model, file.families) == ("cnn", ())


def test_images_too_small_for_a_backbone_leave_it_out(tmp_path: Path) -> None:
    folder = make_photos(tmp_path / "small", (63, 63))
    _, file = load_configuration(RunOptions(dataset=str(folder)))
    assert (file.model, file.families) == ("cnn", ())


def test_model_narrows_what_is_searched(photos: Path) -> None:
    _, file = load_configuration(RunOptions(dataset=str(photos), model="cnn"))
    assert (file.model, file.families) == ("cnn", ())


def test_beside_a_cnn_photos_are_read_in_its_size(photos: Path) -> None:
    card, _ = load_configuration(RunOptions(dataset=str(photos)))
    assert card.image.shape == (96, 96, 3)


def test_backbones_alone_read_photos_in_the_largest_size_of_any(tmp_path: Path) -> None:
    folder = make_photos(tmp_path / "large", (400, 300))
    options = RunOptions(dataset=str(folder), model="efficientnet_lite0,efficientnet_lite2")
    card, file = load_configuration(options)
    assert card.image.shape == (260, 260, 3)
    assert names(file) == ["efficientnet_lite0", "efficientnet_lite2"]


def test_data_with_a_card_keep_their_own_model_unless_asked() -> None:
    _, file = load_configuration(RunOptions(dataset="digits"))
    assert (file.model, file.families) == ("cnn", ())
    _, file = load_configuration(RunOptions(dataset="digits", model="auto"))
    assert names(file) == ["baseline", "cnn"]


def test_a_backbone_brings_the_space_that_it_has_alone() -> None:
    file = file_of("[cnn, efficientnet_lite0]")
    alone = load_configuration(RunOptions(dataset="digits", model="efficientnet_lite0"))[1]
    assert file.families[1].space == alone.space
    assert file.families[0].space.searched == ("dropout",)


def stating(**values: object) -> Card:
    return CARD.model_copy(update={"baseline": STATED.model_copy(update={"values": values})})


def test_of_the_baseline_only_the_learning_rate_is_searched() -> None:
    file = file_of("[baseline, cnn]", card=stating(**VALUES))
    (rate,) = file.families[0].space.parameters
    assert rate.prior is not None
    assert (rate.name, rate.prior.value, rate.low, rate.high) == (
        "learning_rate",
        0.01,
        0.0025,
        0.04,
    )
    usual, other = ({"model": "baseline", "learning_rate": value} for value in (0.01, 0.02))
    assert built(file, usual) == (STATED.model, VALUES)
    assert has_setting(file.space, other)


def test_a_baseline_that_states_no_learning_rate_has_nothing_to_search() -> None:
    file = file_of("[baseline, cnn]", card=stating(filters=[4]))
    assert file.families[0].space.parameters == ()
    assert built(file, {"model": "baseline"}) == (STATED.model, {"filters": [4]})


def test_data_without_a_stated_baseline_have_the_cnns_defaults_as_one() -> None:
    file = file_of("[baseline, cnn]")
    assert (file.families[0].model, file.families[0].space.fixed["conv_blocks"]) == ("cnn", 3)


@pytest.mark.parametrize(
    ("method", "problem"),
    [
        ("grid", "fine_tune_learning_rate of efficientnet_lite0 may be any number in its range"),
        ("keras_tuner_grid", "dropout has several ranges"),
    ],
)
def test_a_grid_that_cannot_go_through_all_families_is_refused(method: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        file_of("[cnn, efficientnet_lite0]", f"search: {{method: {method}}}")
    assert caught.value.message == (
        f"my.yaml: search.method is {method}, but with cnn, efficientnet_lite0 {problem}"
    )


def test_weights_that_are_not_installed_are_refused_by_their_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match="EfficientNet-Lite0's ImageNet weights are not"):
        load_configuration(
            RunOptions(dataset="digits", overrides=("model=[cnn, efficientnet_lite0]",))
        )


def test_mirroring_in_any_family_needs_the_cards_word() -> None:
    options = RunOptions(dataset="digits", overrides=("model=[baseline, cnn]", "space.flip=true"))
    with pytest.raises(ConfigurationError, match="flip may be true"):
        load_configuration(options)


def test_one_family_stays_as_it_is() -> None:
    file = parse_space(parse_document("version: 1\nspace: {dropout: 0.5}", "my.yaml"))
    assert with_families(file, CARD) == file


def searched(file: SearchSpaceFile, name: str) -> set[str]:
    (family,) = [one for one in file.families if one.name == name]
    return set(family.space.searched)


@pytest.mark.parametrize(
    ("preset", "model", "held"),
    [
        ("standard", "auto", {"unfreeze_blocks", "fine_tune_learning_rate"}),
        ("quick", "auto", {"unfreeze_blocks", "fine_tune_learning_rate", "input_size", "pooling"}),
        (
            "quick",
            "cnn,efficientnet_lite2",
            {"unfreeze_blocks", "fine_tune_learning_rate", "input_size", "pooling"},
        ),
        ("standard", "cnn,efficientnet_lite2", set()),
    ],
)
def test_auto_leaves_backbones_frozen_and_a_first_look_computes_their_features_once(
    photos: Path, preset: PresetName, model: str, held: set[str]
) -> None:
    _, file = load_configuration(RunOptions(dataset=str(photos), preset=preset, model=model))
    _, alone = load_configuration(RunOptions(dataset=str(photos), model="efficientnet_lite2"))
    assert set(alone.space.searched) - searched(file, "efficientnet_lite2") == held


def test_a_backbone_alone_is_searched_as_a_whole_in_a_first_look_too(photos: Path) -> None:
    options = RunOptions(dataset=str(photos), preset="quick", model="efficientnet_lite2")
    assert "unfreeze_blocks" in load_configuration(options)[1].space.searched
