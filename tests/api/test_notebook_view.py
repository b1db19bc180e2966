"""In a notebook a run has one output, which is written anew, and nothing when it is quiet."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tuner.api import notebook_view as view
from tuner.api.calling import Call, _view
from tuner.pipeline.run_options import RunOptions
from tuner.records.events import Notice


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The outputs of a cell, each with the texts that it had one after another."""
    outputs: list[list[str]] = []

    def display(bundle: dict[str, str], *, raw: bool, display_id: bool = False) -> Any:
        assert raw
        assert bundle["text/html"].startswith("<pre>")
        texts = [bundle["text/plain"]]
        outputs.append(texts)
        return SimpleNamespace(update=lambda new, raw: texts.append(new["text/plain"]))

    package, module = ModuleType("IPython"), ModuleType("IPython.display")
    package.get_ipython = lambda: SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    module.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return outputs


def test_one_output_tells_notices_and_progress(shown: list[list[str]]) -> None:
    assert view.is_notebook()
    with view.notebook_view() as listener:
        listener(Notice(text="images are <grey>\x1b[2J"))
        listener(Notice(text="and small"))
    (texts,) = shown
    assert texts[0] == "Reading the data"
    # Both came within a second; the last state is drawn at the end.
    assert len(texts) <= 3
    assert "images are <grey>" in texts[-1]
    assert "and small" in texts[-1]
    assert "\x1b" not in texts[-1]
    assert "Reading the data, 0 s" in texts[-1]


def test_markup_is_text(shown: list[list[str]]) -> None:
    assert view._bundle("<b>")["text/html"] == "<pre>&lt;b&gt;</pre>"
    view.show_text("done")
    assert shown == [["done"]]


@pytest.mark.parametrize("name", ["is_quiet", "is_plain"])
def test_quiet_shows_nothing_and_plain_lines_are_no_view(
    shown: list[list[str]], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("tuner.cli.run_views.choice.chatter_kept_away", _no_chatter)
    options = RunOptions(dataset="digits")
    usual = Call(words=(), options=options, is_quiet=False, is_plain=False, is_gated=False)
    changed: dict[str, Any] = {name: True}
    with _view(replace(usual, **changed), options) as listener:
        listener(Notice(text="note"))
    assert shown == []


def test_a_script_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not view.is_notebook()


class _no_chatter:  # noqa: N801 - in the place of a function
    def __enter__(self) -> Any:
        return SimpleNamespace(move_to=lambda log: None)

    def __exit__(self, *error: object) -> None:
        return None
