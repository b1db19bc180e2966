"""Names of other people's making."""

from __future__ import annotations

import itertools

import pytest

from tuner.names import one_line, plain_name, printable, spreadsheet_cell, text_of_cell


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("cat", "cat"),
        ("C:\\photos", "C:\\photos"),
        ("фото 写真 می‌خواهم", "фото 写真 می‌خواهم"),
        ("narrow\u202fspace", "narrow\u202fspace"),
        ("a\nb", "a\\x0ab"),
        ("a\\x0ab", "a\\\\x0ab"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202egnp", "\\u202egnp"),
        ("\u2028", "\\u2028"),
        ("\udcff", "\\udcff"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_name_is_shown_on_one_line(name: str, shown: str) -> None:
    assert printable(name) == shown
    assert one_line(shown) == shown


def test_no_two_names_are_shown_alike() -> None:
    names = {
        "".join(letters) for n in range(6) for letters in itertools.product("\\x0a\n", repeat=n)
    }
    assert len({printable(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("my_photos", "my_photos"),
        ("My Photos", "my_photos"),
        ("my-photos!", "my-photos"),
        ("фото", "фото"),
        ("写真", "写真"),
        ("cafe\u0301", "caf\u00e9"),
        ("हिन्दी", "हिन्दी"),
        ("!!!", "own_data"),
        ("\u0301", "own_data"),
        ("..hidden", "hidden"),
        ("CON", "con_"),
        ("lpt9", "lpt9_"),
        ("x" * 300, "x" * 120),
        ("写" * 300, "写" * 40),
    ],
)
def test_plain_name_keeps_the_letters_of_every_script(text: str, name: str) -> None:
    assert plain_name(text, "own_data") == name
    assert plain_name(name, "own_data") == name


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("\uff1d1", "'\uff1d1"),
        ("'=1", "''=1"),
        ("-0.5", "-0.5"),
        ("+1e-3", "+1e-3"),
        (-0.5, -0.5),
        ("'quoted'", "'quoted'"),
        ("cat", "cat"),
        ("", ""),
    ],
)
def test_cell_is_no_formula_and_comes_back(value: str | float, cell: str | float) -> None:
    assert spreadsheet_cell(value) == cell
    assert isinstance(cell, float) or text_of_cell(cell) == value
