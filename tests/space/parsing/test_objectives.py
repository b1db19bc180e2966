"""`objectives:` of a space: a score, then costs to keep low."""

from __future__ import annotations

import pytest

from tuner.errors import ConfigurationError
from tuner.space.definition import Objective, SearchSpaceFile
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import parse_space

BASE = "version: 1\nspace: {dropout: [0.1, 0.2]}\n"


def parsed(text: str) -> SearchSpaceFile:
    return parse_space(parse_document(BASE + text, "a.yaml"))


def test_the_first_is_the_objective() -> None:
    file = parsed("objectives: [val_loss, latency_ms, parameters]")
    assert file.objective == Objective(name="val_loss", direction="min")
    assert file.costs == ("latency_ms", "parameters")
    assert file.objectives == ("val_loss", "latency_ms", "parameters")


def test_an_objective_alone_is_no_list() -> None:
    for text in ("", "objectives: []", "objectives: [val_accuracy]", "objective: val_accuracy"):
        assert parsed(text).objectives == ()
        assert parsed(text).objective.name == "val_accuracy"


def test_both_may_stand_where_they_agree() -> None:
    own = "model: mine:build\nobjective: {name: val_f2, direction: min}\n"
    file = parsed(f"{own}objectives: [val_f2, file_mb]")
    assert (file.objective.direction, file.costs) == ("min", ("file_mb",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "objective: val_loss\nobjectives: [val_accuracy, latency_ms]",
            'a.yaml:4: objectives begins with "val_accuracy", but objective is "val_loss".\n'
            "  Fix: begin the list with val_loss, or leave objective out.",
        ),
        (
            "objectives: [latency_ms]",
            'a.yaml:3: objectives.0 is "latency_ms", which is a cost, not a score.\n'
            "  Fix: begin with a score: objectives: [val_accuracy, latency_ms]",
        ),
        (
            "objectives: [val_accuracy, val_loss]",
            'a.yaml:3: objectives.1 is "val_loss", but only the first of the objectives is a'
            " score.\n  Fix: use latency_ms, parameters, file_mb or multiply_adds after it.",
        ),
        (
            "objectives: [val_accuracy, latency]",
            'a.yaml:3: objectives.1 is "latency"; expected latency_ms, parameters, file_mb or'
            ' multiply_adds.\n  Fix: did you mean "latency_ms"?',
        ),
        (
            "objectives: [val_accuracy, file_mb, file_mb]",
            'a.yaml:3: objectives.2 is "file_mb", which is in the list already.\n'
            "  Fix: delete one of the two.",
        ),
        ("objectives: [val_acuracy]", 'a.yaml:3: objectives.0 is "val_acuracy"; expected '),
    ],
)
def test_mistakes_are_told(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parsed(text)
    assert str(caught.value).startswith(message)
