"""A builder of your own before a run: what a run and a plan have in common."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.cli.calling import call, write_photos
from tests.data.samples import make_card
from tests.images import image_spec
from tests.soak.own_builders import SPACE, UNITS
from tuner.pipeline.preparation import try_builder
from tuner.pipeline.preparation.declare import Declared
from tuner.pipeline.run_options import RunOptions
from tuner.records.events import Event, Notice
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import parse_space


def test_builder_that_takes_long_is_named_while_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    told, heard = threading.Event(), list[Event]()

    def hear(event: Event) -> None:
        heard.append(event)
        told.set()

    def declare(*given: object) -> Declared:
        assert told.wait(10)
        return Declared(file=file)

    monkeypatch.setattr(try_builder, "SLOW_S", 0.01)
    monkeypatch.setattr(try_builder, "declare", declare)
    monkeypatch.setattr(try_builder, "try_builder", lambda file, spec: [])
    file = parse_space(
        parse_document("version: 1\nmodel: m:build\nspace: {batch_size: 16}\n", "own.yaml")
    )
    card = make_card({"type": "npz", "path": "tiny.npz"}, size=8)
    try_builder.with_builder(RunOptions(dataset="tiny"), card, file, image_spec(2), hear)
    (notice,) = heard
    assert isinstance(notice, Notice) and notice.text.startswith("still trying out m:build after")


def test_plan_refuses_what_a_run_refuses(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", ["cat", "dog"])
    space = SPACE.format(name="build_logits_unsaid", space=UNITS).replace(
        "net:", "tests.soak.published:"
    )
    (tmp_path / "space.yaml").write_text(space, encoding="utf-8")
    planned = call("plan", "photos", "--space", "space.yaml", "--executor", "inline", cwd=tmp_path)
    assert (planned.code, planned.out) == (2, "")
    assert (
        "they look like logits, and its loss does not say from_logits"
        in planned.err.splitlines()[0]
    )


def test_settings_are_tried_until_one_can_be_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "choosy.py").write_text(
        "import keras\n"
        "def build(values, spec):\n"
        "    if values['a'] != 'good': raise ValueError('not this one')\n"
        "    outputs = keras.layers.Dense(spec.n_classes, activation='softmax')\n"
        "    return keras.Sequential([keras.Input(spec.shape), keras.layers.Flatten(), outputs])\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    text = "version: 1\nmodel: choosy:build\nspace: {a: [bad, worse, worst, good], batch_size: 8}\n"
    file = parse_space(parse_document(text, "own.yaml"))
    (note,) = try_builder.try_builder(file, image_spec())
    assert note.startswith(
        "some settings cannot be built, and their trials will fail: ValueError: not this one"
    )
