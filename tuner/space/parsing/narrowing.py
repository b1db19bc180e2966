"""What an override puts out of reach.

`--set space.optimizer=adam` leaves no use for the momentum of sgd.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from tuner.space.parsing.conditions import possible
from tuner.space.parsing.layout import AnySpec, FlatParameter, Layout, SpecKey, per
from tuner.space.parsing.priors import is_lost


def drop_unreachable(layout: Layout, before: Layout) -> Layout:
    """Leave out conditions and blocks that were possible before the overrides alone.

    A parameter, or one of its several ranges, goes where no value is left that switches it on, and
    with it what depends on it. What could not be before either is a mistake of the file, and a
    parameter that was overridden itself is wanted: both stay.

    Args:
        layout: The declarations with all overrides.
        before: Those of the file.
    """
    before_specs = dict(before.stated())
    layout = _without_lost_priors(layout, before_specs)
    unchanged = {key for key, spec in layout.stated() if spec == before_specs.get(key)}
    then = before.entries()
    while True:
        specs: dict[str, dict[SpecKey, AnySpec]] = {}
        now = layout.entries()
        for key, spec in layout.stated():
            kept = (
                _narrowed(key[0], spec, _Stage(layout, now), _Stage(before, then))
                if key in unchanged
                else spec
            )
            if kept is not None:
                specs.setdefault(key[0], {})[key] = kept
        if specs == layout.specs:
            return layout
        layout = replace(layout, specs=specs)


def _without_lost_priors(layout: Layout, before: Mapping[SpecKey, AnySpec]) -> Layout:
    """Drop the priors that narrower ranges and shorter lists leave without a value."""
    specs = {
        name: {
            key: spec.model_copy(update={"prior": None}) if is_lost(spec, before.get(key)) else spec
            for key, spec in ranges.items()
        }
        for name, ranges in layout.specs.items()
    }
    return replace(layout, specs=specs)


class _Stage(NamedTuple):
    """Declarations, and the flat parameters behind them."""

    layout: Layout
    entries: Mapping[str, list[FlatParameter]]


def _narrowed(name: str, spec: AnySpec, now: _Stage, then: _Stage) -> AnySpec | None:
    if _has_block(then.layout, name) and not _has_block(now.layout, name):
        return None
    if per(spec) in then.layout.specs and per(spec) not in now.layout.specs:
        return None
    when = {
        parent: [
            value
            for value in values
            if _can_be(now.entries, parent, value) or not _can_be(then.entries, parent, value)
        ]
        for parent, values in (spec.when or {}).items()
    }
    if not all(when.values()):
        return None
    return spec if when == (spec.when or {}) else spec.model_copy(update={"when": when})


def _has_block(layout: Layout, key: str) -> bool:
    """Whether the block is there that a key such as `filters_3` names; true for every other key."""
    block = layout.block(key)
    most = layout.most(block.parent) if block else None
    return block is None or most is None or block.index < most


def _can_be(entries: Mapping[str, list[FlatParameter]], parent: str, value: Any) -> bool:
    return any(possible(entry.spec, value) for entry in entries.get(parent, ()))
