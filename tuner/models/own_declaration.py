"""What your own builder declares: it is called with some tens of settings, in this process.

Nothing is trained.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any

from tuner.backend import active
from tuner.backend.environment import KERAS_SETTINGS
from tuner.errors import ConfigurationError, TunerError
from tuner.models import keras_tuner_builder
from tuner.models.exploring import Build, explore
from tuner.models.loaded_code import code_as_imported
from tuner.models.own_builder import OwnBuilder, own_builder
from tuner.models.read_values import ReadValues
from tuner.records.error_text import place_in, reason_of, traceback_of
from tuner.records.image import ImageSpec
from tuner.space.declared import Declaration
from tuner.space.definition import Parameter, Space


def declared(model: str, image_spec: ImageSpec, given: Space) -> Declaration:
    """Find what a builder of your own asks for.

    Args:
        model: `package.module:name`.
        image_spec: Of the images.
        given: The space that it is searched with, in whose values it is called.

    Raises:
        ConfigurationError: If it cannot be imported or called, builds no model, or declares what
            cannot be searched; or its source was edited since this process imported it.
    """
    with code_as_imported(model):
        return _declared(model, image_spec, given)


def _declared(model: str, image_spec: ImageSpec, given: Space) -> Declaration:
    builder = _loaded(model, image_spec)
    try:
        beforehand = _declared_beforehand(builder)
        found = explore(lambda values: _build(builder, values), given, beforehand=beforehand)
    except ConfigurationError as error:
        raise ConfigurationError(f'model "{model}": {error.message}', error.hint) from error
    _check_data_format(model)
    return _with_notes(found, model, builder)


def _loaded(model: str, image_spec: ImageSpec) -> OwnBuilder:
    try:
        return own_builder(model, image_spec)
    except TunerError:
        raise
    except (Exception, SystemExit) as error:
        raise ConfigurationError(
            f'model "{model}": its module cannot be imported: {reason_of(error)}',
            f"fix the module; `python -c 'import {model.partition(':')[0]}'` shows where.",
        ) from error


def _check_data_format(model: str) -> None:
    import keras

    found, ours = keras.config.image_data_format(), KERAS_SETTINGS["image_data_format"]
    if found != ours:
        keras.config.set_image_data_format(ours)
        raise ConfigurationError(
            f'model "{model}": its module sets image_data_format to {found}, but images are {ours}',
            "remove that line.",
        )


def _with_notes(found: Declaration, model: str, builder: OwnBuilder) -> Declaration:
    notes = [f"{model}: {note}" for note in found.notes]
    if keras_tuner_builder.fit_is_own(builder.target):
        notes.append(
            f"{model} has a fit of its own, which is not called: tuner trains the models itself,"
            " and does not search what fit reads from hp"
        )
    if not found.is_thorough:
        notes.append(
            f"{model} takes so long to build a model that not every choice was tried:"
            " hyperparameters that it reads only for some values of others may not be searched"
        )
    return replace(found, notes=tuple(notes))


def _declared_beforehand(builder: OwnBuilder) -> list[Parameter]:
    hp = keras_tuner_builder.hyperparameters({})
    try:
        keras_tuner_builder.declare_beforehand(builder.target, hp)
    except Exception as error:
        raise ConfigurationError(
            f"declare_hyperparameters raises {reason_of(error)}", "fix the method."
        ) from error
    return keras_tuner_builder.declared(hp)[0]


def _build(builder: OwnBuilder, values: Mapping[str, Any]) -> Build:
    import keras

    asked: Any = (
        keras_tuner_builder.hyperparameters(values) if builder.takes_hp else ReadValues(values)
    )
    problem, missing, is_compiled = None, None, True
    try:
        # What a builder prints each time is of use once at most: in its trainings.
        with redirect_stdout(io.StringIO()), active.precision():
            model = builder.build(asked)
        if isinstance(model, keras.Model):
            is_compiled = bool(model.compiled)
        else:
            problem = f"it returned {type(model).__name__}, not a keras.Model"
    except (Exception, SystemExit) as error:
        problem = f"{reason_of(error)}{place_in(traceback_of(error))}"
        if (
            isinstance(asked, ReadValues)
            and isinstance(error, KeyError)
            and error.args == (asked.missing,)
        ):
            missing = asked.missing
    finally:
        keras.backend.clear_session()
    if not builder.takes_hp:
        return Build(
            values=values,
            read=frozenset(asked.read),
            reads_all=asked.reads_all,
            defaults=asked.defaults,
            missing=missing,
            is_compiled=is_compiled,
            problem=problem,
        )
    parameters, notes = keras_tuner_builder.declared(asked)
    return Build(
        values={**values, **asked.values},
        declared=parameters,
        read=frozenset(asked.read),
        is_compiled=is_compiled,
        problem=problem,
        notes=notes,
    )
