"""The cache saves time, and never changes what is loaded."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.data.samples import make_card, random_images, write_fer, write_folders
from tuner.data.cache import cache_folder
from tuner.data.cache import cached_images as cache
from tuner.data.cards.card import Card
from tuner.data.load import load_images
from tuner.errors import ConfigurationError, DataError


@pytest.fixture
def card(tmp_path: Path) -> Card:
    write_fer(tmp_path / "fer.csv", [0, 1, 0, 1])
    return make_card({"type": "fer_csv", "path": "fer.csv"}, class_names=["no", "yes"])


def entries(root: Path) -> list[Path]:
    return [entry.path for entry in cache_folder.entries(root)]


@pytest.mark.parametrize(
    "name",
    [
        "images.npy",
        "labels.npy",
        "parts.npy",
        "groups.npy",
        "copy_of.npy",
        "near_group.npy",
        "meta.json",
    ],
)
@pytest.mark.parametrize(
    "damage", ["cut", "gone", "empty", "flipped", "zeros", "other", "folder", "pipe", "deep"]
)
def test_damaged_entry_is_rebuilt(tmp_path: Path, card: Card, name: str, damage: str) -> None:
    load_images(card, tmp_path)
    path = entries(tmp_path)[0] / name
    content = path.read_bytes()
    path.unlink()
    made = {
        "cut": content[:-5],
        "empty": b"",
        "flipped": content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
        "zeros": content[:-16] + bytes(16),
        "other": b"PK\x03\x04" + content,
        "deep": b"[" * 100_000,
    }
    if damage == "folder":
        path.mkdir()
    elif damage == "pipe":
        os.mkfifo(path)
    elif damage in made:
        path.write_bytes(made[damage])
    loaded, again = load_images(card, tmp_path), load_images(card, tmp_path)
    np.testing.assert_array_equal(loaded.images, random_images(4))
    # Without its last file an entry passes for one that was never whole.
    is_damaged = made.get(damage) != content and (name, damage) != ("meta.json", "gone")
    assert loaded.is_mended is is_damaged
    assert isinstance(again.images, np.memmap)
    assert not again.is_mended


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"[]", b'{"images.npy": "a"}', b"\xff"])
def test_entry_is_as_good_without_its_stamps(tmp_path: Path, card: Card, content: bytes) -> None:
    load_images(card, tmp_path)
    before = entries(tmp_path)
    (before[0] / "stamps.json").write_bytes(content)
    np.testing.assert_array_equal(load_images(card, tmp_path).images, random_images(4))
    assert entries(tmp_path) == before


def test_pipe_in_the_place_of_the_stamps_is_never_waited_for(tmp_path: Path, card: Card) -> None:
    load_images(card, tmp_path)
    (entry,) = entries(tmp_path)
    (entry / "stamps.json").unlink()
    os.mkfifo(entry / "stamps.json")
    np.testing.assert_array_equal(load_images(card, tmp_path).images, random_images(4))


def test_file_in_the_place_of_an_entry_is_replaced(tmp_path: Path, card: Card) -> None:
    load_images(card, tmp_path)
    (entry,) = entries(tmp_path)
    shutil.rmtree(entry)
    entry.write_bytes(b"a file")
    np.testing.assert_array_equal(load_images(card, tmp_path).images, random_images(4))
    assert [path.is_dir() for path in entries(tmp_path)] == [True]


def test_touched_source_replaces_the_old_entry(tmp_path: Path, card: Card) -> None:
    load_images(card, tmp_path)
    before = entries(tmp_path)
    os.utime(tmp_path / "fer.csv", ns=(1, 1))
    load_images(card, tmp_path)
    after = entries(tmp_path)
    assert len(before) == len(after) == 1
    assert before != after


def test_entries_of_other_data_sets_stay(tmp_path: Path, card: Card) -> None:
    load_images(card.model_copy(update={"name": "tiny-too"}), tmp_path)
    load_images(card, tmp_path)
    assert len(entries(tmp_path)) == 2


def test_change_of_the_cards_words_keeps_the_entry(tmp_path: Path, card: Card) -> None:
    load_images(card, tmp_path)
    before = entries(tmp_path)
    load_images(card.model_copy(update={"title": "Another", "description": "words"}), tmp_path)
    assert entries(tmp_path) == before


def test_change_of_the_class_names_is_noticed(tmp_path: Path, card: Card) -> None:
    load_images(card, tmp_path)
    renamed = card.model_copy(update={"class_names": ["nay", "yea"]})
    assert load_images(renamed, tmp_path).class_names == ("nay", "yea")


def test_unwritable_cache_is_done_without(tmp_path: Path, card: Card) -> None:
    (tmp_path / ".cache").write_text("a file where the folder should be")
    loaded = load_images(card, tmp_path)
    np.testing.assert_array_equal(loaded.images, random_images(4))
    assert not isinstance(loaded.images, np.memmap)


def test_nothing_half_written_is_left(tmp_path: Path, card: Card) -> None:
    load_images(card, tmp_path)
    found = sorted(path.name for path in entries(tmp_path)[0].iterdir())
    columns = [
        "copy_of.npy",
        "groups.npy",
        "images.npy",
        "labels.npy",
        "meta.json",
        "near_group.npy",
        "parts.npy",
    ]
    assert found == [*columns, "stamps.json"]
    (tmp_path / "fer.csv").write_text("emotion,pixels\n0,1\n")
    with pytest.raises(DataError):
        load_images(card, tmp_path)
    assert entries(tmp_path) == []


def test_cached_file_holds_no_room_for_rows_that_were_not_read(tmp_path: Path) -> None:
    write_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    (tmp_path / "photos/cat/00.png").write_text("no image")
    loaded = load_images(
        make_card({"type": "class_folders", "path": "photos"}, channels=3), tmp_path
    )
    assert (entries(tmp_path)[0] / "images.npy").stat().st_size == 128 + loaded.images.nbytes
    np.testing.assert_array_equal(loaded.images[:3], random_images(3, 4, 3))


def test_copies_and_groups_are_kept(tmp_path: Path) -> None:
    lines = write_fer(tmp_path / "fer.csv", [0, 1, 0, 1])
    lines = [f"{line},{'who' if i == 0 else 'ann'}" for i, line in enumerate([*lines, lines[1]])]
    (tmp_path / "fer.csv").write_text("\n".join(lines) + "\n")
    card = make_card(
        {"type": "fer_csv", "path": "fer.csv"}, class_names=["no", "yes"], splits={"group": "who"}
    )
    for _ in range(2):  # parsed, then from the cache
        loaded = load_images(card, tmp_path)
        assert loaded.groups.tolist() == ["ann"] * 5
        assert loaded.copy_of.tolist() == [0, 1, 2, 3, 0]
        assert loaded.near_group.tolist() == [0, 1, 2, 3, 0]


def test_missing_group_column_is_named(tmp_path: Path, card: Card) -> None:
    grouped = card.model_copy(update={"splits": card.splits.model_copy(update={"group": "who"})})
    with pytest.raises(DataError) as caught:
        load_images(grouped, tmp_path)
    assert caught.value.message == 'fer.csv: there is no column "who"; found emotion, pixels'


def start_loading(root: Path) -> subprocess.Popen[str]:
    """A process that loads the set, and says when it begins and decodes, and what it has loaded."""
    command = [sys.executable, "-m", "tests.data.load_in_child", str(root)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_second_process_waits_for_the_first_and_decodes_nothing(tmp_path: Path, card: Card) -> None:
    with start_loading(tmp_path) as first, start_loading(tmp_path) as second:
        assert first.stdout and second.stdout
        heard = [first.stdout.readline(), second.stdout.readline()]
        assert heard == ["loading\n"] * 2
        # Both go; the one that decodes needs a second word.
        for word in ("go\n", "go on\n"):
            for process in (first, second):
                assert process.stdin
                process.stdin.write(word)
                process.stdin.flush()
        ends = [process.stdout.read().splitlines() for process in (first, second)]
    assert sorted(map(len, ends)) == [1, 2]
    assert sum("decoding" in lines for lines in ends) == 1
    assert {lines[-1] for lines in ends} == {load_images(card, tmp_path).fingerprint}
    assert len(entries(tmp_path)) == 1


def test_killed_process_holds_nobody_up(tmp_path: Path, card: Card) -> None:
    with start_loading(tmp_path) as killed:
        assert killed.stdin and killed.stdout
        assert killed.stdout.readline() == "loading\n"
        killed.stdin.write("go\n")
        killed.stdin.flush()
        assert killed.stdout.readline() == "decoding\n"
        killed.kill()
    left = entries(tmp_path)
    np.testing.assert_array_equal(load_images(card, tmp_path).images, random_images(4))
    assert len(left) == len(entries(tmp_path)) == 1
    assert left != entries(tmp_path)


def test_full_disk_is_done_without(tmp_path: Path, card: Card) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        loaded = load_images(card, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    np.testing.assert_array_equal(loaded.images, random_images(4))
    assert not isinstance(loaded.images, np.memmap)
    assert entries(tmp_path) == []


def test_file_over_the_limit_is_read_into_memory(
    tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNER_CACHE_LIMIT", "10B")
    assert not isinstance(load_images(card, tmp_path).images, np.memmap)


def test_file_for_which_there_is_room_nowhere_is_refused(
    tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNER_CACHE_LIMIT", "0.2GB")
    images = cache.NewEntry(card, tmp_path, tmp_path)
    with pytest.raises(DataError) as caught:
        images.allocate(10**8)
    assert (
        caught.value.message == "tiny: its images take up to 1.6 GB, but the cache may take 0.2 GB"
    )
    where = tmp_path / ".cache"
    assert (
        caught.value.hint
        == f"free space on the disk of {where}, or set TUNER_CACHE_LIMIT, such as 100GB."
    )


@pytest.mark.parametrize(
    ("given", "expected"), [("1500", 1500), ("2kb", 2000), ("1.5 GB", 15 * 10**8), ("0", 0)]
)
def test_limit_can_be_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, expected: int
) -> None:
    monkeypatch.setenv("TUNER_CACHE_LIMIT", given)
    assert cache_folder.cache_limit(tmp_path) == expected


def test_limit_is_at_most_half_of_the_free_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TUNER_CACHE_LIMIT", raising=False)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10**9}))
    assert cache_folder.cache_limit(tmp_path / "not" / "there") == 5 * 10**8


def test_limit_that_is_no_size_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNER_CACHE_LIMIT", "much")
    with pytest.raises(ConfigurationError) as caught:
        cache_folder.cache_limit(tmp_path)
    assert caught.value.message == 'TUNER_CACHE_LIMIT is "much"; expected a size'
    assert caught.value.hint == "give a number and a unit, such as 20GB."
