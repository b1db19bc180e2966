"""Documents that are small and expensive are refused at once, with their place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tuner.errors import ConfigurationError
from tuner.space.documents.bounded_reading import BY_A_RUN
from tuner.space.documents.strict_yaml import load_document, parse_document
from tuner.space.parsing.parse import load_space, parse_space
from tuner.space.sampling import n_settings

OWN = "version: 1\nmodel: a:b\nspace:\n"


def refusal(text: str, parse: Any = parse_document) -> str:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, "my.yaml")
    return str(caught.value)


def in_space(*lines: str) -> str:
    """The message for lines under `space:` of a builder of your own; the first one is line 4."""
    return refusal(
        OWN + "\n".join(f"  {line}" for line in lines),
        lambda *both: parse_space(parse_document(*both)),
    )


def bomb(first: str, repeat: str, n: int) -> str:
    return f"a0: &a0 {first}\n" + "".join(
        f"a{i}: &a{i} {repeat.replace('*', f'*a{i - 1}')}\n" for i in range(1, n)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (bomb("[x, x]", "[*, *, *, *, *, *, *, *]", 10),
         "my.yaml:6: it holds more than 50,000 values"),
        (bomb("{a: 1}", "{a: *, b: *}", 40), "my.yaml:14: it holds more than 50,000 values"),
        ("[" + "1," * 60_000 + "]", "my.yaml:1: it holds more than 50,000 values"),
        (bomb("[1]", "[*]", 400),
         "my.yaml:20: lists and keys are nested more than 20 levels deep."),
        ("a: " + "[" * 100_000, "my.yaml:1: lists and keys are nested more than 20 levels deep."),
        ("a: *b",
         "my.yaml:1: *b is not defined.\n  Fix: write &b before the value that it names."),
        ("a: 1\n" * 300_000, "my.yaml: it has more than 1 MB."),
        (f"a: {'x' * 30_000}", "my.yaml:1: a has more than 20,000 letters."),
        (f"{'x' * 1_001}: 1", f'my.yaml:1: the key "{"x" * 57}..." has more than 1,000 letters.'),
        (f"a: {'9' * 5_000}",
         f"my.yaml:1: a is {'9' * 57}...; expected a whole number of at most 15 digits."),
        ("a: [1, -1e400]", "my.yaml:1: a.1 is infinite; expected a finite number."),
        ("a: 0x1F", "my.yaml:1: a is 0x1F, which YAML 1.1 and 1.2 read differently."),
        ("a: 1_000", "my.yaml:1: a is 1_000, which"),
        ("a: .nan", "my.yaml:1: a is .nan, which"),
        ("a: {<<: {b: 1}}",
         "my.yaml:1: << merges keys in YAML 1.1 only.\n  Fix: write the keys out."),
        ('"a\\nmy.yaml:9: forged": 1',
         'my.yaml:1: the key "a\\x0amy.yaml:9: forged" has a line break'),
        ("a: 1\n---\nb: 2", "my.yaml:2: not valid YAML: a second document begins here."),
        ("a:\n\tb: 1",
         "my.yaml:2: not valid YAML: found character '\\t' that cannot start any token."),
    ],
)  # fmt: skip
def test_document_beyond_a_bound_is_refused_with_its_line(text: str, message: str) -> None:
    assert refusal(text).startswith(message)


@pytest.mark.parametrize(
    ("tag", "shown"),
    [
        ('!!bool "qq"', "!!bool"),
        ("!!int x", "!!int"),
        ("!!python/object/apply:os.system [ls]", "!!python/object/apply:os.system"),
        ("!!binary aGVsbG8=", "!!binary"),
        ("!!timestamp 2001-01-01", "!!timestamp"),
        ("!!set {a, b}", "!!set"),
        ("!mine x", "!mine"),
        ("! x", "!"),
    ],
)
def test_tag_is_named_with_its_line(tag: str, shown: str) -> None:
    assert (
        refusal(f"a: 1\nx: {tag}") == f"my.yaml:2: x has the tag {shown}; tags are not read.\n"
        "  Fix: write the value without the tag; quotes make any value text."
    )


def test_alias_stands_for_a_copy() -> None:
    data = parse_document("a: &a {b: [1]}\nc: *a\nd: [*a]", "my.yaml").data
    assert data == {"a": {"b": [1]}, "c": {"b": [1]}, "d": [{"b": [1]}]}
    assert data["a"] is not data["c"]


def test_ten_mistakes_are_printed_and_the_others_counted() -> None:
    lines = in_space(*(f"p{i}: []" for i in range(25))).split("\n")
    assert lines[0] == "my.yaml:4: space.p0 is []; expected at least 1 value."
    assert lines[9].startswith("my.yaml:13: ")
    assert lines[10:] == [
        "my.yaml: 15 more mistakes.",
        "  Fix: correct these first, then check the file again.",
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["n: {type: int, min: 1, max: 100000000}", "f: {type: choice, values: [1, 2], per: n}"],
            'my.yaml:5: space.f.per is "n", which may be 100,000,000; expected 100 or less.\n'
            "  Fix: lower the max of n.",
        ),
        (
            ["n: {type: int, min: 1, max: 100}",
             *(f"f{i}: {{type: boolean, per: n}}" for i in range(11))],
            "my.yaml:3: space has 1,101 parameters, those of each block counted; expected 1,000 "
            "or less.",
        ),
        (
            ["x: {type: float, min: 0, max: 1e9, step: 1e-9}"],
            "my.yaml:4: space.x.step is 1e-09, which makes 1,000,000,000,000,000,000 steps; at "
            "most 100,000",
        ),
        (["x: {type: float, min: 0, max: 1, step: 1e-300}"],
         "my.yaml:4: space.x.step is 1e-300; expected 1e-12 or"),
        (["x: {type: float, min: -1e308, max: 1e308}"],
         "my.yaml:4: space.x goes from -1e+308 to 1e+308; expected"),
        ([f"x: [{', '.join(map(str, range(1001)))}]"], "my.yaml:4: space.x is [0, 1,"),
        ([f"p{i}: 1" for i in range(501)], "my.yaml:3: space is {"),
        (["x: [a, \"b\\nforged\"]"],
         'my.yaml:4: space.x.1 is "b\\nforged"; expected text without line breaks'),
        ([f"p{i}: {{type: boolean, when: {{q{i}: true}}}}" for i in range(400)],
         "my.yaml:4: space.p0.when.q0 is not"),
    ],
)  # fmt: skip
def test_space_beyond_a_bound_is_refused_with_its_line(lines: list[str], message: str) -> None:
    assert in_space(*lines).startswith(message)


@pytest.mark.parametrize(
    "line",
    [
        "search: {iterations: 1000000000}",
        "search: {max_trials: 1000000001}",
        "retrain: {epochs: 1000000000}",
    ],
)
def test_search_of_years_is_refused(line: str) -> None:
    text = f"version: 1\n{line}\nspace: {{}}"
    with pytest.raises(
        ConfigurationError, match=r"^my\.yaml:2: \w+\.\w+ is 100000000.; expected 1.* or less\.$"
    ):
        parse_space(parse_document(text, "my.yaml"))


def test_long_chain_of_conditions_is_read_and_counted() -> None:
    chain = [
        f"  p{i}: {{type: choice, values: [1, 2], when: {{p{i - 1}: 1}}}}" for i in range(1, 300)
    ]
    file = parse_space(parse_document("\n".join([f"{OWN}  p0: [1, 2]", *chain]), "my.yaml"))
    assert n_settings(file.space) == 301


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("space.x=1e400", "--set space.x=1e400:1: the value is infinite"),
        ("space.x=!!set {a}", "--set space.x=!!set {a}:1: the value has the tag !!set"),
        ("space.x=&a [*a]", "--set space.x=&a [*a]:1: nested without end."),
        ("space.x\nforged.yaml:1: y=1", r"--set space.x\x0aforged.yaml:1: y=1: "),
        (f"space.x={'[' * 3_000}", "--set space.x=["),
        ("space.x=[1, 1]", "--set space.x=[1, 1]: space.x.1 is 1, which is in the list already."),
    ],
)
def test_override_goes_through_the_same_bounds(tmp_path: Path, override: str, message: str) -> None:
    (tmp_path / "my.yaml").write_text(f"{OWN}  x: [1, 2]\n")
    with pytest.raises(ConfigurationError) as caught:
        load_space(tmp_path / "my.yaml", [override])
    assert str(caught.value).startswith(message)
    assert len(str(caught.value).split("\n")) <= 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a: 1".encode("utf-16"), "my.yaml: cannot be read: it is not UTF-8 text."),
        (b"a: 1\nb: caf\xe9", "my.yaml:2: cannot be read: it is not UTF-8 text."),
        (b"a: 1\n\0", "my.yaml:2: not valid YAML: the character U+0000."),
        (bytes(2_000_000), "my.yaml: cannot be read: it has more than 1 MB."),
    ],
)
def test_file_of_another_kind_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "my.yaml").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        load_document(tmp_path / "my.yaml")
    assert caught.value.message == f"{tmp_path}/{reason}"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_what_never_ends_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, what in (
        (tmp_path / "pipe", "it is a pipe or a device, not a file"),
        (Path("/dev/zero"), "it is a pipe or a device, not a file"),
        (tmp_path, "it is a folder"),
        (tmp_path / "a\nb", "No such file or directory"),
    ):
        with pytest.raises(ConfigurationError, match=f": cannot be read: {what}") as caught:
            load_document(path)
        assert "\n" not in caught.value.message


def test_windows_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb:\r\n  - x\r\n")
    document = load_document(tmp_path / "my.yaml")
    assert (document.data, document.where(("b", 0))) == (
        {"a": 1, "b": ["x"]},
        f"{tmp_path}/my.yaml:3",
    )


def test_what_a_run_wrote_may_be_larger() -> None:
    text = "\n".join(f"- class {i}" for i in range(60_000))
    assert len(parse_document(text, "best.yaml", BY_A_RUN).data) == 60_000
