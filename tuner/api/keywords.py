"""The command line's options of `run` as keywords: same names, defaults, checks, one definition."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from tuner.cli.run_commands import run as command
from tuner.errors import ConfigurationError
from tuner.space.documents.spelling import nearest_of

# `--json` is for programs that read the output; here they get objects. `--nested` makes several
# runs, and one is returned.
LEFT_OUT = frozenset(("--json", "--nested"))
# What arguments of Keras' `fit` and of Keras Tuner are here.
_OF_KERAS: Mapping[str, str] = {
    "batch_size": 'a hyperparameter here: space={"batch_size": 64}.',
    "callbacks": "leave them out: tuner keeps the best epoch, and stops trials that do badly.",
    "class_weight": 'say space={"imbalance": "class_weights"}.',
    "directory": "say out=, the folder of all reports.",
    "epochs": "say max_epochs=, the most epochs of a trial.",
    "executions_per_trial": "leave it out; with compare=True, several seeds train the best model.",
    "hyperband_iterations": 'say set={"search.iterations": 2}.',
    "hyperparameters": "say space=, which may narrow or fix what the builder declares.",
    "initial_epoch": "leave it out: a promoted trial continues from its checkpoint.",
    "max_model_size": 'say set={"constraints.parameters": "<= 5e6"}.',
    "overwrite": "say resume=False to start again.",
    "project_name": "say name=, which is also the name of the folder.",
    "sample_weight": 'say space={"imbalance": "class_weights"}, or leave it out.',
    "shuffle": "leave it out: training images are shuffled in each epoch.",
    "validation_split": "leave it out, and 10 % validate; or give validation_data=(x_val, y_val).",
    "verbose": "say quiet=True for no output, or no_progress=True for plain lines.",
}


def keywords() -> dict[str, click.Option]:
    """The options by keyword: `--time-budget` is `time_budget`, `--resume/--fresh` is `resume`."""
    options = [one for one in command.params if isinstance(one, click.Option)]
    return {keyword_of(one): one for one in options if not LEFT_OUT & set(one.opts)}


def keyword_of(option: click.Option) -> str:
    """The longest name of an option, as Python writes it."""
    return max(option.opts, key=len).lstrip("-").replace("-", "_")


def default_of(option: click.Option) -> Any:
    """What holds where nothing is given."""
    if option.multiple:
        return ()
    found = option.to_info_dict()["default"]
    is_number_or_text = isinstance(found, str | int | float | bool)
    return found if is_number_or_text else str(found) if isinstance(found, Path) else None


def option_words(given: Mapping[str, Any]) -> list[str]:
    """The options of a call as those of the command line.

    Args:
        given: Values by keyword; one that is None, or the default, adds nothing.

    Raises:
        ConfigurationError: For a keyword that there is not.
    """
    options = keywords()
    for name in given:
        if name not in options:
            near = nearest_of(name, options)
            hint = f"did you mean {near}?" if near else f"use one of {', '.join(sorted(options))}."
            raise ConfigurationError(f"there is no option {name}", _OF_KERAS.get(name, hint))
    return [word for name, value in given.items() for word in _words(name, options[name], value)]


def command_words(dataset: str, options: Sequence[str]) -> list[str]:
    """The command line from `run` on.

    Args:
        dataset: A data set's name or path.
        options: As `option_words` gives them.
    """
    return ["run", *options, *(["--"] if dataset.startswith("-") else []), dataset]


def parameters(words: list[str]) -> dict[str, Any]:
    """What the command gets for a command line, checked as there.

    Raises:
        ConfigurationError: For a value that an option does not take.
    """
    try:
        with command.make_context("run", words[1:]) as context:
            return dict(context.params)
    except click.UsageError as error:
        raise usage_error(error) from None


def usage_error(error: click.UsageError) -> ConfigurationError:
    """An error of the command line, with the option's name as a keyword."""
    option = getattr(error, "param", None)
    if isinstance(error, click.BadParameter) and isinstance(option, click.Option):
        return ConfigurationError(
            f"{keyword_of(option)}: {error.message}",
            f"give another value, or leave {keyword_of(option)} out.",
        )
    return ConfigurationError(error.format_message(), "see docs/python.md.")


def signature_with(first: inspect.Signature, without: Collection[str] = ()) -> inspect.Signature:
    """A signature whose `**options` are written out.

    Args:
        first: The signature.
        without: Keywords that it does not take.
    """
    own = [p for p in first.parameters.values() if p.kind != p.VAR_KEYWORD]
    kind = inspect.Parameter.KEYWORD_ONLY
    others = [
        inspect.Parameter(name, kind, default=default_of(option))
        for name, option in keywords().items()
        if name not in (*first.parameters, *without)
    ]
    return first.replace(parameters=[*own, *others])


def option_lines(without: Collection[str] = ()) -> str:
    """Each keyword with the help of the command line, for a docstring; some are left out."""
    return "\n".join(
        f"        {name}: {(option.help or '').replace(chr(10), ' ')}"
        for name, option in keywords().items()
        if name not in without
    )


def _words(name: str, option: click.Option, value: Any) -> Iterator[str]:
    long = max(option.opts, key=len)
    if value is None or (not option.multiple and value == default_of(option)):
        return
    if option.is_flag:
        if not isinstance(value, bool):
            raise ConfigurationError(f"{name}: {value!r} is not a bool", "give True or False.")
        chosen = [long] if value else option.secondary_opts[:1]
        yield from chosen
        return
    for one in _each(value) if option.multiple else [value]:
        yield from (long, _text(name, one))


def _each(value: Any) -> list[Any]:
    """Several values; a dict gives KEY=VALUE."""
    if isinstance(value, Mapping):
        return [f"{key}={_yaml_value(one)}" for key, one in value.items()]
    return [value] if isinstance(value, str) else list(value)


def _yaml_value(value: Any) -> str:
    """JSON is YAML; text needs no quotes where it is the only value."""
    return value if isinstance(value, str) else json.dumps(value)


def _text(name: str, value: Any) -> str:
    if isinstance(value, tuple | list) and len(value) == 2:
        # Height and width.
        return "x".join(map(str, value))
    if isinstance(value, str | int | float | os.PathLike) and not isinstance(value, bool):
        return os.fspath(value) if isinstance(value, os.PathLike) else str(value)
    raise ConfigurationError(
        f"{name}: {type(value).__name__} is not a type that this option takes",
        "give a number or text, as on the command line.",
    )
