"""The keywords of `tuner.run` and the options of the command line are one definition."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import click
import pytest

import tuner
from tuner.api.calling import command_of
from tuner.api.keywords import (
    _OF_KERAS,
    LEFT_OUT,
    command_words,
    keywords,
    option_words,
    parameters,
)
from tuner.cli.run_commands import run as command
from tuner.errors import ConfigurationError


def test_every_option_is_a_keyword_by_its_own_name_and_default() -> None:
    parameters_ = inspect.signature(tuner.run).parameters
    with command.make_context("run", ["digits"]) as context:
        usual = context.params
    left_out = []
    for option in command.params:
        if not isinstance(option, click.Option) or LEFT_OUT & set(option.opts):
            left_out += option.opts
            continue
        long = max(option.opts, key=len).lstrip("-").replace("-", "_")
        default = parameters_[long].default
        if option.multiple:
            assert default == usual[option.name] == ()
        elif default is not None:
            converted = (
                parameters(["run", option.opts[0], str(default), "digits"])
                if (not option.is_flag)
                else {option.name: default}
            )
            assert converted[option.name] == usual[option.name]
        else:
            assert usual[option.name] is None
    assert left_out == ["dataset", "--nested", "--json"]


def test_help_of_the_options_is_in_the_docstring() -> None:
    assert tuner.run.__doc__ is not None
    for name, option in keywords().items():
        assert f"{name}: {option.help}" in tuner.run.__doc__


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"preset": "standard", "seed": 0, "space": None}, []),
        ({"max_epochs": 4, "search_only": True}, ["--max-epochs", "4", "--search-only"]),
        ({"resume": True}, ["--resume"]),
        ({"resume": False}, ["--fresh"]),
        ({"resume": None}, []),
        ({"image_size": (96, 128)}, ["--image-size", "96x128"]),
        ({"time_budget": 90}, ["--time-budget", "90"]),
        ({"out": Path("here") / "there"}, ["--out", str(Path("here") / "there")]),
        ({"set": {"space.dropout": 0.5, "compare": []}},
         ["--set", "space.dropout=0.5", "--set", "compare=[]"]),
        ({"choose": "latency_ms<=5"}, ["--choose", "latency_ms<=5"]),
        ({"track": ["tensorboard", "optuna"]}, ["--track", "tensorboard", "--track", "optuna"]),
    ],
)  # fmt: skip
def test_keywords_become_the_command_line(given: dict[str, Any], words: list[str]) -> None:
    assert command_words("digits", option_words(given)) == ["run", *words, "digits"]
    assert parameters(["run", *words, "digits"])["dataset"] == "digits"


@pytest.mark.parametrize("name", sorted(_OF_KERAS))
def test_names_of_keras_have_a_hint_of_what_is_here(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"there is no option {name}") as raised:
        option_words({name: 3})
    assert "use one of" not in raised.value.hint
    # What the hint names is an argument of `tuner.search`.
    named = re.findall(r"(\w+)=", raised.value.hint)
    assert set(named) <= {*inspect.signature(tuner.search).parameters}


def test_a_data_set_may_begin_with_a_dash() -> None:
    words = command_words("-photos", ["--seed", "1"])
    assert parameters(words)["dataset"] == "-photos"


def test_the_report_names_a_command_that_begins_anew() -> None:
    words = command_words("digits", option_words({"resume": True, "quiet": True, "seed": 1}))
    assert command_of(words) == "python -m tuner run --seed 1 digits"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_epoch": 3}, "there is no option max_epoch"),
        ({"max_epochs": 0}, "max_epochs: 0 is not in the range x>=1."),
        ({"preset": "fast"}, "preset: 'fast' is not one of 'quick', 'standard', 'thorough'."),
        ({"search_only": "yes"}, "search_only: 'yes' is not a bool"),
        ({"seed": {}}, "seed: dict is not a type that this option takes"),
        ({"json": True}, "there is no option json"),
        ({"gpus_per_trial": 0.5}, "--gpus-per-trial goes with --executor ray only."),
        ({"require_improvement": True, "search_only": True},
         "--require-improvement needs the comparison that --search-only leaves out."),
    ],
)  # fmt: skip
def test_a_wrong_option_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        tuner.run("digits", **given)
    assert raised.value.message == message
    assert raised.value.hint
