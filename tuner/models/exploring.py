"""What a builder asks for under which values; nothing is trained.

It is called with some tens of settings.

A builder asks for some names only under `if hp.Boolean(...)` or in a loop over `hp.Int(...)`. So
the ends of all ranges and every choice are tried together, then one at a time; what is asked only
under some values of another name gets a condition, where tried settings leave no doubt about it.
Pure: how a builder is called is the caller's part.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import numpy as np

from tuner.errors import ConfigurationError
from tuner.models.tried_values import MAX_TRIED, first_tried, n_values, narrowed
from tuner.space.declared import Declaration, described, merge
from tuner.space.definition import Condition, Parameter, Space
from tuner.space.sampling import grid_values, sample

# Settings that are tried together, at most; a list of choices is as long at most for each of them
# to be tried.
N_TOGETHER = 8
# Random settings that have to agree with the conditions that were found.
N_CHECKED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """When exploring ends, whatever is found by then.

    Attributes:
        n_builds: Calls of the builder.
        seconds: Of processor time for all of them, so that the space does not depend on other work
            of the machine; one call is made however long it takes.
        wall_seconds: By the clock, for builders that wait, such as for a download.
    """

    n_builds: int = 150
    seconds: float = 15.0
    wall_seconds: float = 120.0


LIMIT = Limit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One call of a builder.

    Attributes:
        values: What it was given and, of names that it declares, what they were.
        declared: What it asked for, in its order.
        read: Names that it looked up.
        reads_all: Whether it went through all values.
        defaults: What it took for names that it was not given.
        missing: The name that it was not given and cannot do without; None where there is none.
        is_compiled: Whether its model is compiled.
        problem: Why it built none, in one line; None where it did.
        notes: What could not be taken over as it is declared.
    """

    values: Mapping[str, Any]
    declared: Sequence[Parameter] = ()
    read: frozenset[str] = frozenset()
    reads_all: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)
    missing: str | None = None
    is_compiled: bool = True
    problem: str | None = None
    notes: Sequence[str] = ()

    @property
    def names(self) -> list[str]:
        """What it asked for, each name once."""
        return list(dict.fromkeys(parameter.name for parameter in self.declared))


def explore(
    call: Callable[[Mapping[str, Any]], Build],
    given: Space,
    limit: Limit = LIMIT,
    beforehand: Sequence[Parameter] = (),
) -> Declaration:
    """Find what a builder declares.

    Args:
        call: Calls it with some values; names that these leave out have the default that the
            builder declares.
        given: The space, whose values are tried in the place of those that the builder declares.
        limit: When to end.
        beforehand: What the builder declares without being called.

    Raises:
        ConfigurationError: If no call built a model, or one name means two things.
    """
    exploration = _Exploration(call, given, limit)
    exploration.learn(beforehand)
    is_thorough = exploration.run()
    if all(build.problem for build in exploration.builds) and not any(
        b.missing for b in exploration.builds
    ):
        raise ConfigurationError(
            f"it builds no model: {exploration.builds[0].problem}",
            "fix the builder, or the values that it receives.",
        )
    return exploration.declaration(is_thorough=is_thorough)


class _EnoughError(Exception):
    """The limit is reached."""


@dataclass(slots=True)
class _Exploration:
    """One exploration under way."""

    call: Callable[[Mapping[str, Any]], Build]
    given: Space
    limit: Limit
    known: dict[str, Parameter] = field(default_factory=dict)
    conditions: dict[str, tuple[Condition, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _made: dict[str, Build] = field(default_factory=dict)
    _began_s: tuple[float, float] = (0.0, 0.0)

    @property
    def builds(self) -> list[Build]:
        """All calls so far."""
        return list(self._made.values())

    def run(self) -> bool:
        """Explore until nothing new comes; returns whether all ends and choices were tried."""
        self._began_s = time.process_time(), time.monotonic()
        is_thorough = False
        try:
            self._try(sample(narrowed(self.given, 0), np.random.default_rng(0)))
            self._try_together()
            self._try_one_at_a_time()
            is_thorough = True
            self._infer()
            self._check()
        except _EnoughError:
            pass
        return is_thorough

    def declaration(self, *, is_thorough: bool) -> Declaration:
        """What was found."""
        good = [build for build in self.builds if not build.problem]
        notes = [*self.notes, *(note for build in self.builds for note in build.notes)]
        return Declaration(
            parameters=self._declared(),
            read=frozenset().union(*(build.read for build in self.builds)),
            reads_all=any(build.reads_all for build in self.builds),
            defaults={
                name: value
                for build in reversed(self.builds)
                for name, value in build.defaults.items()
            },
            missing=tuple(dict.fromkeys(build.missing for build in self.builds if build.missing)),
            is_compiled=all(build.is_compiled for build in good),
            is_thorough=is_thorough,
            notes=tuple(dict.fromkeys(notes)),
        )

    def learn(self, declared: Sequence[Parameter]) -> None:
        """Take over what a call has asked for."""
        for parameter in declared:
            before = self.known.setdefault(parameter.name, parameter)
            if replace(before, conditions=()) == replace(parameter, conditions=()):
                self.known[parameter.name] = replace(
                    before, conditions=_either(before.conditions, parameter.conditions)
                )
            elif before.conditions != parameter.conditions:
                raise ConfigurationError(
                    f"it declares {parameter.name} in two ways: {described(before)}, and"
                    f" {described(parameter)}",
                    "give the two names of their own; one name has one range.",
                )
            else:
                # So does Keras Tuner.
                self.notes.append(
                    f"{parameter.name} is declared as {described(before)}, and as"
                    f" {described(parameter)}; the first is searched"
                )

    def _declared(self) -> tuple[Parameter, ...]:
        return tuple(
            (
                parameter
                if parameter.conditions
                else replace(parameter, conditions=self.conditions.get(name, ()))
            )
            for name, parameter in self.known.items()
        )

    def _space(self) -> Space:
        return merge(self.given, self._declared())

    def _try(self, values: Mapping[str, Any]) -> Build:
        key = repr(sorted(values.items()))
        if key not in self._made:
            if self._made and (len(self._made) >= self.limit.n_builds or self._is_late()):
                raise _EnoughError
            self._made[key] = self.call(values)
            self.learn(self._made[key].declared)
        return self._made[key]

    def _is_late(self) -> bool:
        used_s, passed_s = self._began_s
        return (
            time.process_time() - used_s >= self.limit.seconds
            or time.monotonic() - passed_s >= self.limit.wall_seconds
        )

    def _try_together(self) -> None:
        """All names at their first value, at their last, and so on, until no new names come."""
        n_known = -1
        while len(self.known) > n_known:
            n_known = len(self.known)
            for number in range(N_TOGETHER):
                space = self._space()
                if number < max([2, *map(n_values, space.parameters)]):
                    self._try(sample(narrowed(space, number), np.random.default_rng(0)))

    def _try_one_at_a_time(self) -> None:
        """Every choice and the ends of every range, one at a time.

        Each is tried from the first setting whose model asks for the name.
        """
        n_known = -1
        while len(self.known) > n_known:
            n_known = len(self.known)
            for name in list(self.known):
                base = next(
                    (build for build in self.builds if not build.problem and name in build.names),
                    None,
                )
                if base is None:
                    continue
                for value in chain.from_iterable(map(first_tried, self._effective(name))):
                    self._try({**base.values, name: value})

    def _effective(self, name: str) -> list[Parameter]:
        """The ranges that are searched: the given space's, else the declared one; none if fixed."""
        return [parameter for parameter in self._space().parameters if parameter.name == name]

    def _infer(self) -> None:
        """Find the conditions of names that not every model asks for."""
        for name in list(self.known):
            self.conditions[name] = ()
        for name in list(self.known):
            if not self.known[name].conditions:
                self.conditions[name] = self._inferred(name)

    def _inferred(self, name: str) -> tuple[Condition, ...]:
        asking, others = self._split(name)
        if not others or not asking:
            return ()
        reference = asking[0]
        found = []
        for parent in reference.names[: reference.names.index(name)]:
            values = self._values_that_ask(name, parent, reference)
            if values is not None:
                found.append(Condition(parent=parent, values=values))
        asking, others = self._split(name)
        is_right = all(_meets(build, found) for build in asking) and not any(
            _meets(build, found) for build in others
        )
        return tuple(found) if found and is_right else ()

    def _values_that_ask(self, name: str, parent: str, reference: Build) -> tuple[Any, ...] | None:
        """The parent's values under which a name is asked, all else as in the reference.

        None where all of them do.
        """
        ranges = self._effective(parent)
        grids = [grid for one in ranges if (grid := grid_values(one)) is not None]
        if not grids or len(grids) < len(ranges) or sum(map(len, grids)) > MAX_TRIED:
            return None

        def asks(value: Any) -> bool:
            return name in self._try({**reference.values, parent: value}).names

        if all(asks(value) for one in ranges for value in first_tried(one)):
            return None
        return tuple(value for grid in grids for value in grid if asks(value))

    def _split(self, name: str) -> tuple[list[Build], list[Build]]:
        good = [build for build in self.builds if not build.problem]
        return [b for b in good if name in b.names], [b for b in good if name not in b.names]

    def _check(self) -> None:
        """Drop the conditions that a random setting contradicts; Keras Tuner has none either."""
        rng = np.random.default_rng(1)
        for _ in range(N_CHECKED):
            values = sample(self._space(), rng)
            build = self._try(values)
            for name in build.names:
                if name not in values and self.conditions.get(name):
                    self.conditions[name] = ()


def _meets(build: Build, conditions: Sequence[Condition]) -> bool:
    return all(
        c.parent in build.names and build.values.get(c.parent) in c.values for c in conditions
    )


def _either(first: tuple[Condition, ...], second: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Where one of two lists of conditions holds; where that is no list of conditions, always."""
    if first == second:
        return first
    if [c.parent for c in first] != [c.parent for c in second]:
        return ()
    differing = [number for number, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]
    if len(differing) > 1:
        return ()
    return tuple(
        a if a == b else replace(a, values=tuple(dict.fromkeys([*a.values, *b.values])))
        for a, b in zip(first, second, strict=True)
    )
