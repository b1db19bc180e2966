"""`datasets` says what the caches hold, and `datasets clean` empties them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import call, write_photos
from tests.data.samples import make_card
from tuner.commands.datasets import clean_caches
from tuner.data.cache.cache_folder import cache_sizes, locked
from tuner.data.load import load_images
from tuner.errors import ConfigurationError
from tuner.report.text import file_size


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data root with two caches: of digits, and of a person's own photos."""
    write_photos(tmp_path / "photos", ["cat", "dog"], n=3)
    own = make_card({"type": "class_folders", "path": "photos"}, size=8)
    names = [str(digit) for digit in range(10)]
    digits = make_card({"type": "generator", "generator": "digits"}, size=8, class_names=names)
    load_images(own.model_copy(update={"name": "photos"}), tmp_path)
    load_images(digits.model_copy(update={"name": "digits"}), tmp_path)
    return tmp_path


def test_missing_files_of_one_folder_are_named_below_it(tmp_path: Path) -> None:
    root = tmp_path / "data"
    lines = call("datasets", "--data-dir", root, cwd=tmp_path).out.splitlines()
    missing = next(line.strip() for line in lines if f"{root}/cats_dogs" in line)
    assert (
        missing
        == f"missing in {root}/cats_dogs: input.csv, labels.csv, input_test.csv, labels_test.csv"
    )


def test_list_shows_what_each_cache_takes(root: Path) -> None:
    sizes = cache_sizes(root)
    lines = call("datasets", "--data-dir", root, cwd=root).out.splitlines()
    digits = next(i for i, line in enumerate(lines) if line.startswith("digits "))
    assert lines[digits + 1].strip() == f"ready; cache: {file_size(sizes['digits'])}"
    assert lines[-2:] == [
        f"{'photos':20} your own data",
        f"{'':20} cache: {file_size(sizes['photos'])}",
    ]


def test_list_as_json_has_the_bytes(root: Path) -> None:
    records = {
        r["name"]: r for r in call("datasets", "--data-dir", root, "--json", cwd=root).records
    }
    assert records["digits"]["cache_bytes"] == cache_sizes(root)["digits"] > 1797 * 64
    assert records["fer2013"]["cache_bytes"] == 0
    assert (records["digits"]["has_card"], records["photos"]["has_card"]) == (True, False)


@pytest.mark.parametrize("before", [True, False])
def test_clean_deletes_all_caches_and_no_file_of_yours(root: Path, before: bool) -> None:
    sizes = cache_sizes(root)
    option = ["--data-dir", root]
    words = ["datasets", *option, "clean"] if before else ["datasets", "clean", *option]
    shown = call(*words, cwd=root)
    assert shown.code == 0
    assert shown.out.splitlines() == [
        f"digits: freed {file_size(sizes['digits'])}",
        f"photos: freed {file_size(sizes['photos'])}",
        f"freed {file_size(sum(sizes.values()))} in all",
    ]
    assert cache_sizes(root) == {}
    assert len(list((root / "photos").rglob("*.png"))) == 6


def test_clean_deletes_only_what_is_named(root: Path) -> None:
    freed = file_size(cache_sizes(root)["photos"])
    shown = call("datasets", "clean", "photos", "fer2013", "--data-dir", root, cwd=root)
    assert shown.out == f"photos: freed {freed}\nfer2013: it has no cache\n"
    assert list(cache_sizes(root)) == ["digits"]


@pytest.mark.parametrize("words", [["clean"], ["fetch", "digits"]])
def test_json_is_refused_where_there_is_none(root: Path, words: list[str]) -> None:
    shown = call("datasets", "--json", *words, "--data-dir", root, cwd=root)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.splitlines()[-1] == f"Error: `datasets {words[0]}` has no --json."
    assert set(cache_sizes(root)) == {"digits", "photos"}


def test_unknown_name_is_refused_before_anything_is_deleted(root: Path) -> None:
    shown = call("datasets", "clean", "photos", "phtos", "--data-dir", root, cwd=root)
    assert (shown.code, shown.out) == (2, "")
    assert (
        shown.err == 'no data set is called "phtos"\n  Fix: these have a cache: digits, photos.\n'
    )
    assert set(cache_sizes(root)) == {"digits", "photos"}


def test_unknown_name_without_any_cache(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        list(clean_caches(["phtos"], tmp_path))
    assert caught.value.hint == "these have a cache: none."


def test_cache_that_is_being_filled_is_left_alone(root: Path) -> None:
    with locked("photos", root) as is_held:
        assert is_held
        lines = list(clean_caches(["photos"], root))
    assert lines[0] == "photos: skipped, since another command is decoding its images"
    assert "photos" in cache_sizes(root)


def test_mapped_images_stay_usable(root: Path) -> None:
    card = make_card({"type": "class_folders", "path": "photos"}, size=8).model_copy(
        update={"name": "photos"}
    )
    images = load_images(card, root).images
    list(clean_caches([], root))
    assert images[:].shape == (6, 8, 8, 1)
