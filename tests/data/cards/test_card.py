"""Cards are strict; a target is a card's name or a path to a person's own data."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.samples import make_card, random_images, write_fer, write_folders
from tuner.data.cards.card_files import card_folders, card_names, card_schema, load_card, read_card
from tuner.data.load import load_images
from tuner.data.own.resolve import resolve
from tuner.errors import ConfigurationError, DataError

ROOT = Path(__file__).parents[3]
BUNDLED = ROOT / "datasets"
CARD = """\
name: mine
title: Mine
files: {type: npz, path: mine.npz}
image: {height: 4, width: 4, channels: 1}
"""


def test_every_bundled_card_is_valid() -> None:
    names = card_names([BUNDLED])
    assert names == [
        "cats_dogs", "digits", "drawn_faces", "emoji_happy_sad", "facial_expressions", "fer2013",
        "happy_sad",
    ]  # fmt: skip
    for name in names:
        card = load_card(name, [BUNDLED])
        assert card.baseline is not None
        assert card.source
        assert card.licence


def test_bundled_cards_are_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "fer2013" in card_names(card_folders())


def test_card_of_the_working_directory_wins(tmp_path: Path) -> None:
    (tmp_path / "digits.yaml").write_text(CARD.replace("mine", "digits"))
    assert load_card("digits", [tmp_path, BUNDLED]).title == "Mine"


def test_all_mistakes_are_reported_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(CARD.replace("type: npz", "type: npy").replace("title", "titel"))
    with pytest.raises(ConfigurationError) as caught:
        read_card(path)
    text = str(caught.value)
    assert f"{path}:2: titel is not a known key" in text
    assert 'Fix: did you mean "title"?' in text
    assert f'{path}:3: files.type is "npy"; expected' in text
    assert caught.value.exit_code == 2


def test_name_must_be_the_files(tmp_path: Path) -> None:
    path = tmp_path / "yours.yaml"
    path.write_text(CARD)
    with pytest.raises(ConfigurationError) as caught:
        read_card(path)
    assert caught.value.message == f'{path}:1: name is "mine"; expected the file\'s name, "yours"'


def test_assumed_value_must_be_set(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    baseline = (
        "{model: cnn, title: t, source: s, values: {dropout: 0.1}, assumed: [rate], published:"
        " {epochs: 3}}"
    )
    path.write_text(f"{CARD}baseline: {baseline}\n")
    with pytest.raises(ConfigurationError) as caught:
        read_card(path)
    assert caught.value.message.startswith(
        f'{path}:5: baseline.assumed names "rate", which is not under values'
    )


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            "{type: array_csv, train_images: a, train_labels: b, test_images: c}",
            (
                "files has test_images, but no test_labels.\n  Fix: add test_labels, or remove"
                " test_images."
            ),
        ),
        (
            "{type: array_csv, train_images: a, train_labels: b, test_labels: c}",
            (
                "files has test_labels, but no test_images.\n  Fix: add test_images, or remove"
                " test_labels."
            ),
        ),
        (
            "{type: generator, generator: digits, n: 50}",
            "files.n does not go with digits, which are always the same.\n  Fix: remove it.",
        ),
        (
            "{type: generator, generator: digits, seed: 0}",
            "files.seed does not go with digits, which are always the same.\n  Fix: remove it.",
        ),
        (
            "{type: generator, generator: digit}",
            (
                'files.generator is "digit"; expected digits or drawn_faces.\n  Fix: did you mean'
                ' "digits"?'
            ),
        ),
        (
            "{type: generator, generator: digits, sed: 1}",
            'files.sed is not a known key.\n  Fix: did you mean "seed"?',
        ),
    ],
)
def test_files_that_make_no_sense_are_explained(tmp_path: Path, files: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(CARD.replace("{type: npz, path: mine.npz}", files))
    with pytest.raises(ConfigurationError) as caught:
        read_card(path)
    assert str(caught.value) == f"{path}:3: {message}"


@pytest.mark.parametrize(
    ("given", "value", "other"),
    [("stop_metric", "accuracy", "stop_value"), ("stop_value", "0.9", "stop_metric")],
)
def test_half_a_stop_is_refused(tmp_path: Path, given: str, value: str, other: str) -> None:
    path = tmp_path / "mine.yaml"
    baseline = (
        f"{{model: cnn, title: t, source: s, values: {{}}, published: {{epochs: 3, {given}:"
        f" {value}}}}}"
    )
    path.write_text(f"{CARD}baseline: {baseline}\n")
    with pytest.raises(ConfigurationError) as caught:
        read_card(path)
    assert caught.value.message == f"{path}:5: baseline.published has {given}, but no {other}."
    assert caught.value.hint == f"add {other}, or remove {given}."


def test_policies_are_honest_by_default(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(CARD)
    card = read_card(path)
    policies = card.policies
    assert (policies.duplicates, policies.conflicting, policies.unreadable) == (
        "drop_from_train",
        "drop",
        "skip",
    )
    assert (card.splits.group, card.splits.folds, card.horizontal_flip) == (None, None, False)


@pytest.mark.parametrize(
    ("files", "line", "message"),
    [
        (
            "{type: npz, path: a}",
            "splits: {group: a}",
            "splits has a group, which does not go with files of type npz.\n  Fix: remove it.",
        ),
        (
            "{type: class_folders, path: a}",
            "splits: {group: '(a'}",
            (
                "splits has a group that is no regular expression: missing ), unterminated"
                " subpattern at position 0.\n  Fix: correct it."
            ),
        ),
        ("{type: npz, path: a}", "splits: {folds: 21}", "splits.folds is 21; expected 20 or less."),
        ("{type: npz, path: a}", "splits: {folds: 0}", "splits.folds is 0; expected 1 or more."),
        (
            "{type: npz, path: a}",
            "policies: {duplicates: dropp}",
            (
                'policies.duplicates is "dropp"; expected drop_from_train, keep or drop.\n  Fix:'
                ' did you mean "drop"?'
            ),
        ),
    ],
)
def test_wishes_that_make_no_sense_are_explained(
    tmp_path: Path, files: str, line: str, message: str
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(CARD.replace("{type: npz, path: mine.npz}", files) + line + "\n")
    with pytest.raises(ConfigurationError) as caught:
        read_card(path)
    assert str(caught.value).startswith(f"{path}:5: {message}")


def test_group_of_a_csv_is_a_column() -> None:
    card = make_card({"type": "fer_csv", "path": "a.csv"}, splits={"group": "(person"})
    assert card.splits.group == "(person"


def test_unknown_data_set_offers_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve("fer2014", [BUNDLED], tmp_path)
    assert caught.value.message == 'no data set is called "fer2014"'
    hint = (
        'did you mean "fer2013"? `python -m tuner datasets` lists them; a folder or file works too.'
    )
    assert caught.value.hint == hint
    assert caught.value.exit_code == 2


def test_missing_path_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        resolve(str(tmp_path / "none.csv"), [BUNDLED], tmp_path)
    assert caught.value.message == f"{tmp_path / 'none.csv'}: there is no such file or folder"


def test_labels_may_be_mapped_to_names(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(f'{CARD}class_names: {{"5": five, "2": two}}\n')
    np.savez(tmp_path / "mine.npz", x=random_images(4), y=[2, 5, 5, 2])
    loaded = load_images(load_card("mine", [tmp_path]), tmp_path)
    assert loaded.class_names == ("five", "two")
    assert loaded.labels.tolist() == [1, 0, 0, 1]


def test_folder_of_class_folders_needs_no_card(tmp_path: Path) -> None:
    write_folders(tmp_path / "My Photos!", {"cat": 3, "dog": 3}, size=20)
    card = resolve(str(tmp_path / "My Photos!"), [BUNDLED], tmp_path)
    assert (card.name, card.title, card.image.shape) == ("my_photos", "My Photos!", (20, 20, 3))
    assert load_images(card, tmp_path / "data").class_names == ("cat", "dog")


def test_folder_among_the_data_is_found_by_its_name(tmp_path: Path) -> None:
    write_folders(tmp_path / "photos", {"cat": 3, "dog": 3}, size=20)
    assert resolve("photos", [BUNDLED], tmp_path).name == "photos"


@pytest.mark.parametrize(("size", "side"), [((300, 200), 250), ((4000, 3000), 2048), ((5, 4), 8)])
def test_own_photos_have_their_typical_size_within_what_a_card_may_state(
    tmp_path: Path, size: tuple[int, int], side: int
) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("L", size).save(tmp_path / "photos" / name / "a.png")
    assert resolve(str(tmp_path / "photos"), [], tmp_path).image.shape == (side, side, 1)


def test_given_parts_of_a_folder_are_found(tmp_path: Path) -> None:
    for part in ("Train", "val"):
        write_folders(tmp_path / "photos" / part, {"cat": 3, "dog": 3}, size=8)
    card = resolve(str(tmp_path / "photos"), [], tmp_path)
    loaded = load_images(card, tmp_path)
    assert loaded.parts.tolist() == ["train"] * 6 + ["validation"] * 6
    assert loaded.origins[0] == "Train/cat/0.png"


def test_folder_without_class_folders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        resolve(str(tmp_path), [], tmp_path)
    assert caught.value.message == f"{tmp_path}: the folder is empty"


def test_fer_style_csv_needs_no_card(tmp_path: Path) -> None:
    write_fer(tmp_path / "faces.csv", range(7))
    card = resolve(str(tmp_path / "faces.csv"), [], tmp_path)
    assert card.image.shape == (4, 4, 1)
    names = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert load_images(card, tmp_path).class_names == names


@pytest.mark.parametrize("labels", [[4, 3, 4], [" 4", "3.0", "04"], ["sad", 3, "4"]])
def test_fer_style_csv_of_some_classes_has_only_these(tmp_path: Path, labels: list[object]) -> None:
    write_fer(tmp_path / "faces.csv", labels)
    loaded = load_images(resolve(str(tmp_path / "faces.csv"), [], tmp_path), tmp_path)
    assert loaded.class_names == ("happy", "sad")
    assert loaded.labels.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([3, 4, 9], 'faces.csv, line 4: the label is "9"; expected 0 to 6'),
        ([3, 3], 'faces: all images are of one class, "happy"'),
    ],
)
def test_labels_that_are_not_fers_are_refused(
    tmp_path: Path, labels: list[int], message: str
) -> None:
    write_fer(tmp_path / "faces.csv", labels)
    with pytest.raises(DataError) as caught:
        load_images(resolve(str(tmp_path / "faces.csv"), [], tmp_path), tmp_path)
    assert caught.value.message == message


def test_csv_with_text_labels_names_its_classes(tmp_path: Path) -> None:
    write_fer(tmp_path / "faces.csv", ["b", "a", "b"])
    text = (tmp_path / "faces.csv").read_text().replace("emotion", "kind")
    (tmp_path / "faces.csv").write_text(text)
    loaded = load_images(resolve(str(tmp_path / "faces.csv"), [], tmp_path), tmp_path)
    assert loaded.class_names == ("a", "b")
    assert loaded.labels.tolist() == [1, 0, 1]


def test_csv_of_no_square_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "faces.csv").write_text('emotion,pixels\n0,"1 2 3"\n')
    with pytest.raises(DataError) as caught:
        resolve(str(tmp_path / "faces.csv"), [], tmp_path)
    message = (
        "faces.csv, line 2: it has 3 pixels; expected a square number, such as 2,304 (48 x 48)"
    )
    assert caught.value.message == message


def test_npz_with_parts_needs_no_card(tmp_path: Path) -> None:
    x, y = random_images(6, channels=3), [0, 1, 0, 1, 0, 1]
    np.savez(tmp_path / "a.npz", x_train=x[:4], y_train=y[:4], x_test=x[4:] / 255.0, y_test=y[4:])
    loaded = load_images(resolve(str(tmp_path / "a.npz"), [], tmp_path), tmp_path)
    np.testing.assert_array_equal(loaded.images, x)
    assert loaded.parts.tolist() == ["train"] * 4 + ["test"] * 2
    assert loaded.class_names == ("0", "1")


def test_schema_file_is_up_to_date() -> None:
    assert (ROOT / "docs/schema/card.schema.json").read_text(encoding="utf-8") == card_schema()


def test_importing_cards_loads_no_heavy_package() -> None:
    code = (
        "import sys, tuner.data.cards.card; print(sorted({'numpy', 'PIL', 'sklearn', 'pandas'} &"
        " set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


STRANGERS_CARD = """\
name: mine
title: Mine
files: {type: class_folders, path: mine}
image: {height: 8, width: 8, channels: 1}
splits: {train: train, test: test}
fetch: get it
kaggle: {dataset: me/mine, archive: mine.zip, files: {mine: mine}}
"""
LEAVING = {
    ("path: mine}", "path: ../mine}"): "files.path",
    ("path: mine}", "path: /etc}"): "files.path",
    ("path: mine}", "path: a/../../b}"): "files.path",
    ("path: mine}", "path: ~/b}"): "files.path",
    ("path: mine}", 'path: "..\\\\b"}'): "files.path",
    ("path: mine}", "path: 'C:/b'}"): "files.path",
    ("path: mine}", 'path: ""}'): "files.path",
    ("train: train", "train: ../train"): "splits.train",
    ("archive: mine.zip", "archive: ../mine.zip"): "kaggle.archive",
    ("files: {mine: mine}", "files: {mine: /etc}"): "kaggle.files.mine",
}


@pytest.mark.parametrize("change", LEAVING)
def test_path_that_leaves_the_data_root_is_refused_with_its_line(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    before, after = change
    (tmp_path / "mine.yaml").write_text(STRANGERS_CARD, encoding="utf-8")
    assert read_card(tmp_path / "mine.yaml").paths == ["mine"]
    text = STRANGERS_CARD.replace(before, after)
    if "files: {type" in text and LEAVING[change] == "files.path":
        text = text.replace("kaggle:", "# kaggle:")
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_card(tmp_path / "mine.yaml")
    assert f": {LEAVING[change]} is " in caught.value.message
    assert caught.value.message.endswith("; expected a path below the data root.")


@pytest.mark.parametrize("name", ["/mine", "a:b", "../x"])
def test_names_of_arrays_are_no_paths(tmp_path: Path, name: str) -> None:
    named = f"path: mine.npz, train_images: '{name}', train_labels: '{name}.y'"
    (tmp_path / "mine.yaml").write_text(CARD.replace("path: mine.npz", named), encoding="utf-8")
    assert read_card(tmp_path / "mine.yaml").paths == ["mine.npz"]


@pytest.mark.parametrize("key", ["train_images", "train_labels", "test_images", "test_labels"])
def test_no_file_of_array_csvs_leaves_the_data_root(tmp_path: Path, key: str) -> None:
    files = "type: array_csv, train_images: a, train_labels: b, test_images: c, test_labels: d"
    text = CARD.replace("type: npz, path: mine.npz", files.replace(f"{key}: ", f"{key}: ../"))
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f":3: files.{key} is "):
        read_card(tmp_path / "mine.yaml")


def test_link_that_you_have_put_into_the_data_root_is_followed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    np.savez(tmp_path / "elsewhere.npz", x=np.zeros((8, 4, 4), np.uint8), y=np.arange(8) % 2)
    (tmp_path / "data/mine.npz").symlink_to(tmp_path / "elsewhere.npz")
    (tmp_path / "mine.yaml").write_text(CARD, encoding="utf-8")
    assert len(load_images(read_card(tmp_path / "mine.yaml"), tmp_path / "data").labels) == 8


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "fetch: get it",
            "space: ../other",
            'space is "../other"; expected the name of a search space, without',
        ),
        ("me/mine", "../me/mine", 'kaggle.dataset is "../me/mine"; expected'),
        (
            "name: mine",
            "name: Mine",
            'name is "Mine"; expected lower-case letters, digits, "_" and "-".',
        ),
    ],
)
def test_name_that_is_none_is_refused(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    (tmp_path / "mine.yaml").write_text(STRANGERS_CARD.replace(before, after), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_card(tmp_path / "mine.yaml")
    assert message in caught.value.message


def test_title_is_one_line(tmp_path: Path) -> None:
    text = STRANGERS_CARD.replace("title: Mine", 'title: "a\\n b: \\e[2J"')
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    assert read_card(tmp_path / "mine.yaml").title == r"a b: \x1b[2J"


def test_name_may_be_of_any_script(tmp_path: Path) -> None:
    (tmp_path / "фото.yaml").write_text(
        STRANGERS_CARD.replace("name: mine", "name: фото"), encoding="utf-8"
    )
    assert read_card(tmp_path / "фото.yaml").name == "фото"
