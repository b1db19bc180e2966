"""Cards are strict: each mistake is reported with its line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.data.cards.written_card import BUNDLED, CARD, ROOT
from tests.data.samples import make_card, random_images
from tuner.data.cards.card_files import card_folders, card_names, card_schema, load_card, read_card
from tuner.data.load import load_images
from tuner.errors import ConfigurationError


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


def test_labels_may_be_mapped_to_names(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(f'{CARD}class_names: {{"5": five, "2": two}}\n')
    np.savez(tmp_path / "mine.npz", x=random_images(4), y=[2, 5, 5, 2])
    loaded = load_images(load_card("mine", [tmp_path]), tmp_path)
    assert loaded.class_names == ("five", "two")
    assert loaded.labels.tolist() == [1, 0, 0, 1]


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
