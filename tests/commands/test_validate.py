"""`validate` and `datasets`: committed files are valid, and every mistake is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

import tuner
from tests.cli.calling import call, write_space

ROOT = Path(tuner.__file__).parents[1]
NAMES = [
    "cats_dogs",
    "digits",
    "drawn_faces",
    "emoji_happy_sad",
    "facial_expressions",
    "fer2013",
    "happy_sad",
]


def test_all_committed_files_are_in_order() -> None:
    shown = call("validate", cwd=ROOT)
    assert (shown.code, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert {f"datasets/{name}.yaml: valid" for name in NAMES} <= set(lines)
    assert {f"search_spaces/{name}.yaml: valid" for name in NAMES} <= set(lines)
    assert "search_spaces/default.yaml: valid; model: auto" in lines


def test_every_mistake_of_every_file_is_listed(tmp_path: Path) -> None:
    write_space(tmp_path)
    (tmp_path / "bad.yaml").write_text(
        "version: 1\nsearch: {factr: 3}\nspace:\n  conv_blocks: {min: 3, max: 2}\n"
    )
    (tmp_path / "card.yaml").write_text(
        "name: card\ntitle: A card\nfiles: {type: npz, path: x.npz}\n"
    )
    shown = call("validate", "tiny.yaml", "bad.yaml", "card.yaml", "gone.yaml", cwd=tmp_path)
    assert (shown.code, shown.out) == (2, "tiny.yaml: valid\n")
    assert shown.err.splitlines() == [
        "bad.yaml:2: search.factr is not a known key.",
        '  Fix: did you mean "factor"?',
        "bad.yaml:4: space.conv_blocks has no type.",
        "  Fix: add type: int, float, choice, boolean or fixed.",
        "card.yaml:1: image is missing.",
        "  Fix: add it.",
        "gone.yaml: cannot be read: No such file or directory.",
        "  Fix: give the path of a YAML file.",
    ]


@pytest.mark.parametrize(("dataset", "code"), [("digits", 2), ("drawn_faces", 0), ("elsewhere", 0)])
def test_space_may_mirror_only_what_its_card_allows(
    tmp_path: Path, dataset: str, code: int
) -> None:
    (tmp_path / "mine.yaml").write_text(f"version: 1\ndataset: {dataset}\nspace: {{flip: true}}\n")
    shown = call("validate", "mine.yaml", cwd=tmp_path)
    assert shown.code == code
    message = "mine.yaml: flip may be true, but datasets/digits.yaml says horizontal_flip: false"
    assert shown.err.splitlines()[:1] == ([message] if code else [])


def test_folder_stands_for_its_yaml_files(tmp_path: Path) -> None:
    (tmp_path / "spaces").mkdir()
    write_space(tmp_path / "spaces")
    (tmp_path / "spaces" / "README.md").write_text("text")
    assert call("validate", "spaces", cwd=tmp_path).out == "spaces/tiny.yaml: valid\n"


def test_nothing_to_check_is_a_mistake(tmp_path: Path) -> None:
    shown = call("validate", cwd=tmp_path)
    assert shown.code == 2
    assert (
        shown.err
        == "search_spaces, datasets: there is no YAML file\n  Fix: name the files to check.\n"
    )


@pytest.mark.parametrize("kind", ["space", "card"])
def test_committed_schemas_are_those_of_the_code(tmp_path: Path, kind: str) -> None:
    shown = call("validate", "--schema", kind, cwd=tmp_path)
    assert shown.code == 0
    assert shown.out == (ROOT / "docs" / "schema" / f"{kind}.schema.json").read_text(
        encoding="utf-8"
    )


def test_datasets_lists_every_card_with_its_state(tmp_path: Path) -> None:
    shown = call("datasets", "--data-dir", tmp_path, cwd=tmp_path)
    assert shown.code == 0
    lines = shown.out.splitlines()
    heads = [i for i, line in enumerate(lines) if not line.startswith(" ")]
    assert [lines[i].split()[0] for i in heads] == NAMES
    ready = {lines[i].split()[0] for i in heads if lines[i + 1].strip() == "ready"}
    assert ready == {"digits", "drawn_faces"}
    start = heads[NAMES.index("fer2013")]
    assert lines[start + 1 : start + 4] == [
        f"{'':20} missing: {tmp_path}/fer2013/fer2013.csv",
        (
            f"{'':20}   `python -m tuner datasets fetch fer2013`; or get fer2013.csv from Kaggle's"
            ' "challenges'
        ),
        f'{"":20}   in representation learning" (facial expressions) and put it there',
    ]


def test_datasets_as_json(tmp_path: Path) -> None:
    records = call("datasets", "--data-dir", tmp_path, "--json", cwd=tmp_path).records
    assert [record["name"] for record in records] == NAMES
    assert [record["name"] for record in records if record["is_there"]] == ["digits", "drawn_faces"]


def test_own_card_wins_and_its_title_steers_no_terminal(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    card = 'name: digits\ntitle: "mine \\e[31m"\nfiles: {type: generator, generator: digits}\n'
    (tmp_path / "datasets" / "digits.yaml").write_text(
        card + "image: {height: 8, width: 8, channels: 1}\n"
    )
    shown = call("datasets", cwd=tmp_path)
    assert "mine \\x1b[31m\n" in shown.out


def test_broken_card_is_listed_with_its_mistakes_among_the_others(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "broken.yaml").write_text("name: broken\ntitel: x\n")
    shown = call("datasets", cwd=tmp_path)
    assert (shown.code, shown.err) == (0, "")
    lines = [line.strip() for line in shown.out.splitlines()]
    start = lines.index("broken")
    assert lines[start + 1] == "its card cannot be used:"
    assert "datasets/broken.yaml:2: titel is not a known key." in lines[start:]
    assert 'Fix: did you mean "title"?' in lines[start:]
    assert {
        name for name in [*NAMES, "broken"] if any(line.startswith(name) for line in lines)
    } == {*NAMES, "broken"}


def test_broken_card_in_json(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "broken.yaml").write_text("")
    shown = call("datasets", "--json", cwd=tmp_path)
    assert shown.code == 0
    (broken,) = [record for record in shown.records if "error" in record]
    assert (broken["name"], broken["is_there"]) == ("broken", False)
    assert broken["error"].startswith("datasets/broken.yaml: the file is empty.")
