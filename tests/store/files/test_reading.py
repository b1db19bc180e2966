"""Files are read with bounds, and only if they are files."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from tuner.store.files.plain_yaml import plain_yaml, read_plain_yaml
from tuner.store.files.reading import kind_of, lines_of, read_json, read_whole


def test_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_whole(tmp_path / "a", 5) == b"12345"
    with pytest.raises(ValueError, match="it is larger than the 0 MB that a run writes at most"):
        read_whole(tmp_path / "a", 4)


def test_what_is_no_file_is_named_and_never_waited_for(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("")
    (tmp_path / "good").symlink_to("file")
    kinds = {path.name: kind_of(path) for path in tmp_path.iterdir()}
    lost = "link that leads nowhere"
    assert kinds == {
        "folder": "folder",
        "pipe": "pipe",
        "link": lost,
        "loop": lost,
        "file": "file",
        "good": "file",
    }
    assert kind_of(tmp_path / "none") == ""
    for name in ("folder", "pipe"):
        with pytest.raises(ValueError, match=f"it is a {name}, not a file"):
            read_whole(tmp_path / name, 10)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "Expecting value"),
        (b"[" * 100_000, "it is nested too deeply"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', 'it names "c" twice'),
        (b'"\\ud800"', "surrogates not allowed"),
        (b'"\xff"', "can't decode byte"),
        ('"a"'.encode("utf-16"), "can't decode byte"),
        (b"9" * 5000, "digits"),
    ],
)
def test_json_that_nobody_could_rely_on_is_refused(
    tmp_path: Path, content: bytes, what: str
) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError, match=what):
        read_json(tmp_path / "a.json", 10**6)


def test_byte_order_mark_and_line_ends_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a":\r\n [1]}\r\n')
    assert read_json(tmp_path / "a.json", 100) == {"a": [1]}


def test_lines_come_one_at_a_time_and_none_is_longer_than_its_bound(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"one\r\n" + b"x" * 3_000_000 + b"\n\ntwo")
    assert list(lines_of(tmp_path / "a", 5)) == [b"one", None, b"", b"two"]


# Each line holds the one before nine times.
BOMB = "a: &a [1]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    "text",
    [
        "a: [1", BOMB, "- " * 50_000, "[" * 50_000, "!!bool maybe", "2026-99-99", "? [a]\n: 1",
        "!!python/x {}", "a: \x00", "!!int x", "!!float ''", "<<: 3", "!!set [1]", "!!timestamp x",
        "!!binary é",
    ],
)  # fmt: skip
def test_yaml_that_no_run_writes_is_refused_at_once(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError):
        read_plain_yaml(tmp_path / "config.yaml", 10**6)


def test_equal_parts_are_written_out_so_that_they_can_be_read(tmp_path: Path) -> None:
    part = {"low": 1e-05, "name": "no"}
    (tmp_path / "config.yaml").write_text(
        plain_yaml({"a": part, "b": [part, part]}), encoding="utf-8"
    )
    assert read_plain_yaml(tmp_path / "config.yaml", 1000) == {"a": part, "b": [part, part]}
