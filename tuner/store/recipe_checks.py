"""What a recipe must be beyond its types.

Its values lie within the vocabulary of its family; its sizes and numbers are possible.

A recipe is edited by hand and trained for hours; what is wrong in it is said before a framework is
loaded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, get_args

from tuner.names import listed, one_line
from tuner.records.combination import Combination, Member
from tuner.records.expected_score import ExpectedScore
from tuner.records.image import ImageSpec
from tuner.records.sealed_recipe import Recipe, RecipeData
from tuner.records.training import Schedule
from tuner.space.definition import Direction
from tuner.space.documents.strict_yaml import Document, KeyPath, Problem
from tuner.space.documents.validation import did_you_mean, shown
from tuner.space.parsing.schema import MAX_EPOCHS
from tuner.space.vocabulary import (
    BASELINE_NAMES,
    BATCH_TERMS,
    MAX_CONV_BLOCKS,
    OBJECTIVES,
    TRAINING_TERMS,
    VOCABULARIES,
    Term,
)

_BUILDER = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
_NUMBERED = re.compile(rf"(.+)_([0-{MAX_CONV_BLOCKS - 1}])")
_LARGEST_SIDE = 4096
# Of a baseline's network only its builder says what else it takes.
_BASELINE_TERMS = {**TRAINING_TERMS, **BATCH_TERMS}

Say = Callable[..., Problem]


def recipe_problems(document: Document, recipe: Recipe) -> Iterator[Problem]:
    """What is wrong in a recipe whose types are right.

    Args:
        document: Says where each value stands.
        recipe: The same as a record.
    """
    say = partial(_problem, document)
    yield from _about_model(recipe.model, say)
    yield from _about_values(recipe.model, recipe.values, say)
    yield from _about_image(recipe.image, say)
    yield from _about_data(recipe.data, say)
    yield from _about_training(recipe, say)
    yield from _about_expected(recipe.expected, say)
    if recipe.combination is not None:
        yield from _about_combination(recipe.combination, recipe.image, say)


def _problem(
    document: Document, path: KeyPath, value: Any, expected: str, hint: Any = ""
) -> Problem:
    message = f"{'.'.join(map(str, path))} is {shown(value)}; expected {expected}."
    return Problem(where=document.where(path), message=message, hint=hint)


def _about_model(model: str, say: Say, place: KeyPath = ()) -> Iterator[Problem]:
    is_known = model in VOCABULARIES or model in BASELINE_NAMES
    if not is_known and not _BUILDER.fullmatch(model):
        known = "cnn, a backbone such as efficientnet_b2, or package.module:function"
        yield say((*place, "model"), model, known, partial(did_you_mean, model, VOCABULARIES))


def _about_values(
    model: str, values: Mapping[str, Any], say: Say, place: KeyPath = ()
) -> Iterator[Problem]:
    terms = VOCABULARIES.get(model)
    for name, value in values.items():
        path = (*place, "values", name)
        term = _BASELINE_TERMS.get(name) if model in BASELINE_NAMES else _term(terms, name)
        if terms is not None and term is None:
            yield say(
                path,
                value,
                f"nothing: it is not a hyperparameter of {model}",
                partial(did_you_mean, name, terms),
            )
        elif term is not None and not term.accepts(value):
            yield say(path, value, term.expected)
        elif model in BASELINE_NAMES and _is_list_of_numbers(value):
            continue
        elif not isinstance(value, bool | int | float | str):
            yield say(path, value, "a number, text, true or false")


def _is_list_of_numbers(value: Any) -> bool:
    """Whether it may state a number for each block of a baseline's network."""
    return isinstance(value, list) and all(type(one) in (int, float) for one in value)


def _term(terms: Mapping[str, Term] | None, name: str) -> Term | None:
    if terms is None:
        return BATCH_TERMS.get(name)
    block = _NUMBERED.fullmatch(name)
    base = terms.get(block[1]) if block else None
    return base if base is not None and base.per_block else terms.get(name)


def _about_image(image: ImageSpec, say: Say) -> Iterator[Problem]:
    for name in ("height", "width"):
        if not 1 <= getattr(image, name) <= _LARGEST_SIDE:
            yield say(
                ("image", name), getattr(image, name), f"a whole number from 1 to {_LARGEST_SIDE}"
            )
    if image.channels not in (1, 3):
        yield say(("image", "channels"), image.channels, "1 or 3")
    for name in ("mean", "std"):
        numbers = getattr(image, name)
        if len(numbers) != image.channels or not all(0 <= number <= 255 for number in numbers):
            yield say(
                ("image", name),
                list(numbers),
                f"{image.channels} numbers from 0 to 255, one for each channel",
            )
    if image.n_classes < 2:
        yield say(("image", "class_names"), list(image.class_names), "at least two names")
    seen: set[str] = set()
    for i, name in enumerate(image.class_names):
        if not name or name in seen:
            yield say(("image", "class_names", i), name, "a name that no other class has")
        seen.add(name)


def _about_data(data: RecipeData, say: Say) -> Iterator[Problem]:
    if not data.name or one_line(data.name) != data.name:
        yield say(("data", "name"), data.name, "a card's name, or the path of a folder or file")
    for name in ("n_train", "n_validation", "n_test", "fold"):
        if getattr(data, name) < 0:
            yield say(("data", name), getattr(data, name), "0 or more")
    if not all(0 <= channel <= 255 for channel in data.background):
        yield say(
            ("data", "background"), list(data.background), "three whole numbers from 0 to 255"
        )
    if data.max_train_images is not None and data.max_train_images < 1:
        yield say(("data", "max_train_images"), data.max_train_images, "1 or more")
    if data.draw_seed < 0:
        yield say(("data", "draw_seed"), data.draw_seed, "0 or more")
    split = data.split
    if split.seed < 0:
        yield say(("data", "split", "seed"), split.seed, "0 or more")
    for name in ("limit", "max_train", "max_validation", "outer"):
        if (number := getattr(split, name)) is not None and number < 1:
            yield say(("data", "split", name), number, "1 or more")
    for name in ("train", "validation") if split.sizes else ():
        if getattr(split.sizes, name) < 1:
            yield say(("data", "split", "sizes", name), getattr(split.sizes, name), "1 or more")


def _about_training(recipe: Recipe, say: Say) -> Iterator[Problem]:
    if not 0 <= recipe.seed < 2**32:
        yield say(("seed",), recipe.seed, f"a whole number from 0 to {2**32 - 1}")
    for name in ("max_epochs", "patience", "epochs"):
        value = getattr(recipe, name)
        # Only a patience may be none: the type of the others says so.
        if value is not None and not 1 <= value <= MAX_EPOCHS:
            yield say((name,), value, f"a whole number from 1 to {MAX_EPOCHS}")
    if recipe.schedule not in get_args(Schedule):
        yield say(("schedule",), recipe.schedule, listed(get_args(Schedule)))
    is_built_in = ":" not in recipe.model
    if is_built_in and recipe.monitor not in OBJECTIVES:
        yield say(
            ("monitor",),
            recipe.monitor,
            listed(OBJECTIVES),
            partial(did_you_mean, recipe.monitor, OBJECTIVES),
        )
    elif not recipe.monitor.startswith("val_"):
        yield say(
            ("monitor",),
            recipe.monitor,
            "a metric of the validation images, whose name begins with val_",
        )
    directions = (
        (OBJECTIVES[recipe.monitor],) if recipe.monitor in OBJECTIVES else get_args(Direction)
    )
    if recipe.direction not in directions:
        yield say(("direction",), recipe.direction, listed(directions))
    if not math.isfinite(recipe.stop_value):
        yield say(("stop_value",), recipe.stop_value, "a finite number")
    if recipe.validation_score is not None and not math.isfinite(recipe.validation_score):
        yield say(("validation_score",), recipe.validation_score, "a finite number")
    if recipe.test_accuracy is not None and not 0 <= recipe.test_accuracy <= 1:
        yield say(("test_accuracy",), recipe.test_accuracy, "a number from 0 to 1")
    if recipe.temperature is not None and not (
        recipe.temperature > 0 and math.isfinite(recipe.temperature)
    ):
        yield say(("temperature",), recipe.temperature, "a number above 0")


def _about_expected(expected: ExpectedScore | None, say: Say) -> Iterator[Problem]:
    if expected is None:
        return
    for name in ("accuracy", "low", "high"):
        if not 0 <= getattr(expected, name) <= 1:
            yield say(("expected", name), getattr(expected, name), "a number from 0 to 1")
    for name in ("n_images", "n_seeds"):
        if getattr(expected, name) < 1:
            yield say(("expected", name), getattr(expected, name), "1 or more")
    if expected.seed_sd is not None and not 0 <= expected.seed_sd <= 1:
        yield say(("expected", "seed_sd"), expected.seed_sd, "a number from 0 to 1")
    # One seed has no spread, and where there are several an interval without it is too narrow.
    if expected.n_seeds == 1 and expected.seed_sd is not None:
        yield say(("expected", "seed_sd"), expected.seed_sd, "null, for n_seeds is 1")
    if expected.n_seeds > 1 and expected.seed_sd is None:
        yield say(("expected", "seed_sd"), None, f"a number, for n_seeds is {expected.n_seeds}")
    if not expected.low <= expected.accuracy <= expected.high:
        interval = f"a number from {expected.low} to {expected.high}, as low and high say"
        yield say(("expected", "accuracy"), expected.accuracy, interval)


def _about_combination(found: Combination, image: ImageSpec, say: Say) -> Iterator[Problem]:
    place = ("combination",)
    if bool(found.members) == bool(found.views):
        yield say((*place, "members"), len(found.members), "members, or views instead")
    for number, member in enumerate(found.members):
        yield from _about_member(member, say, (*place, "members", number))
    total = sum(member.share for member in found.members)
    if found.members and not math.isclose(total, 1, abs_tol=1e-6):
        shares = "shares that add up to 1"
        yield say((*place, "members", 0, "share"), found.members[0].share, shares)
    for number, view in enumerate(found.views):
        for name, side in (("down", image.height), ("right", image.width)):
            if abs(getattr(view, name)) >= side:
                path = (*place, "views", number, name)
                yield say(path, getattr(view, name), f"less than the {side} pixels of an image")


def _about_member(member: Member, say: Say, place: KeyPath) -> Iterator[Problem]:
    yield from _about_model(member.model, say, place)
    yield from _about_values(member.model, member.values, say, place)
    if not 0 <= member.seed < 2**32:
        yield say((*place, "seed"), member.seed, f"a whole number from 0 to {2**32 - 1}")
    for name in ("epochs", "schedule_epochs"):
        value = getattr(member, name)
        if value is not None and not 1 <= value <= MAX_EPOCHS:
            yield say((*place, name), value, f"a whole number from 1 to {MAX_EPOCHS}")
    if not 0 < member.share <= 1:
        yield say((*place, "share"), member.share, "a number above 0, and at most 1")
    warmth = member.temperature
    if warmth is not None and not (warmth > 0 and math.isfinite(warmth)):
        yield say((*place, "temperature"), warmth, "a number above 0")
