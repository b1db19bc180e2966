"""What is widened, narrowed and frozen of a space, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tuner.metrics.score_text import percent
from tuner.records.importance import ParameterImportance
from tuner.refinement.evidence import NO_EFFECT, Evidence
from tuner.refinement.narrowing import losers, narrowed
from tuner.refinement.units import COUNTS_BLOCKS, Unit, block_of, units_of
from tuner.report.edges import Edge, widened, worth_widening
from tuner.report.text import plural, value_text
from tuner.space.declaring import declaration, flow
from tuner.space.definition import FAMILY, Condition, Parameter, Prior
from tuner.space.sampling import grid_values
from tuner.space.vocabulary import VOCABULARIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What becomes of one name of the space.

    Attributes:
        name: The name.
        what: `widened`, `narrowed`, `frozen` or `left out`; of several, with commas.
        before: Its ranges that have changed, each as YAML on one line.
        after: What they are now; empty where the name is left out.
        reason: The evidence, a sentence for each of what was done.
    """

    name: str
    what: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefinedSpace:
    """The next space of a model.

    Attributes:
        declarations: By name, as YAML holds them.
        changes: Those that differ from the run's, in the order of the space.
        n_unchanged: Names that were searched, and stay as they were.
    """

    declarations: Mapping[str, Any]
    changes: tuple[Change, ...]
    n_unchanged: int


@dataclass(slots=True)
class _Range:
    """One range while it is refined, and what was done with it."""

    after: Parameter
    done: list[tuple[str, str]] = field(default_factory=list)


def refined_space(evidence: Evidence, fixed: Mapping[str, Any], most_blocks: int) -> RefinedSpace:
    """The next space.

    Args:
        evidence: What the search says.
        fixed: What the space fixes.
        most_blocks: Poolings by 2 that the images have pixels for.
    """
    return _Refining(evidence, fixed, most_blocks).space()


class _Refining:
    """A space while it is refined, parents first."""

    def __init__(self, evidence: Evidence, fixed: Mapping[str, Any], most_blocks: int) -> None:
        self._evidence, self._most_blocks = evidence, most_blocks
        self._model = evidence.search.winner_model
        # A builder of your own may call a hyperparameter so.
        self._family = FAMILY if evidence.search.families else None
        self._fixed = dict(fixed)
        # What each refined name may still be: its ranges; none where it is left out.
        self._left: dict[str, list[Parameter]] = {}
        is_known = self._model in VOCABULARIES
        # A builder of your own bounds its ranges in its code.
        found = worth_widening(evidence.search, evidence.importance) if is_known else []
        self._edges = found

    def space(self) -> RefinedSpace:
        declarations: dict[str, Any] = dict(self._fixed)
        changes: list[Change] = []
        searched = [one for one in self._evidence.search.of_winner if one.name != self._family]
        units = units_of(searched, self._model)
        for unit in units:
            before = _declared(unit, unit.ranges)
            ranges, reasons = self._refined(unit)
            self._left |= {name: [one.after for one in ranges] for name in unit.members}
            after = _declared(unit, [one.after for one in ranges])
            if ranges:
                declarations[unit.name] = after
            if not isinstance(after, Mapping | list) and not unit.is_per_block:
                self._fixed[unit.name] = after
            done = [pair for one in ranges for pair in one.done]
            done += [("left out", reason) for reason in reasons]
            if done and before != after:
                changes.append(_change(unit, before, after, done))
        return RefinedSpace(
            declarations=declarations,
            changes=tuple(changes),
            n_unchanged=len(units) - len(changes),
        )

    def _refined(self, unit: Unit) -> tuple[list[_Range], list[str]]:
        """The ranges that are left of a name, and why others are not."""
        ranges, reasons = [], []
        for one in unit.ranges:
            conditions, reason = self._conditions(unit, one)
            if reason:
                reasons.append(reason)
                continue
            found = self._range(unit, one)
            found.after = replace(found.after, conditions=conditions)
            ranges.append(found)
        return ranges, list(dict.fromkeys(reasons))

    def _conditions(self, unit: Unit, one: Parameter) -> tuple[tuple[Condition, ...], str]:
        """The conditions that are left of a range; or why it can never be active."""
        block, counts = block_of(unit.name, self._model), self._most(COUNTS_BLOCKS)
        if block is not None and counts is not None and block >= counts:
            return (), f"{COUNTS_BLOCKS} is {counts} at most, and blocks count from 0"
        left: list[Condition] = []
        for condition in one.conditions:
            parent = condition.parent
            if parent in unit.implied or (
                parent in self._fixed and self._fixed[parent] in condition.values
            ):
                continue
            ranges = self._left.get(parent, [])
            if parent in self._fixed:
                return (), f"{parent} is {value_text(self._fixed[parent])} now"
            values = tuple(v for v in condition.values if any(_may_be(r, v) for r in ranges))
            if not values:
                asked = " or ".join(map(value_text, condition.values))
                return (), f"{parent} is never {asked} now"
            left.append(replace(condition, values=values))
        return tuple(left), ""

    def _most(self, name: str) -> int | None:
        """The largest value that a number may still have."""
        if name in self._fixed:
            return int(self._fixed[name])
        ends = [one.choices or (one.high,) for one in self._left.get(name, [])]
        found = [int(value) for values in ends for value in values if value is not None]
        return max(found, default=None)

    def _range(self, unit: Unit, one: Parameter) -> _Range:
        evidence, found = self._evidence, _Range(one)
        own = unit.values(one, evidence.search.best_setting)
        best = [v for trial in evidence.best for v in unit.values(one, trial.values)]
        tried = [v for trial in evidence.settings for v in unit.values(one, trial.values)]
        row = next((row for name in unit.members if (row := evidence.of(name))), None)
        if row is not None and best and row.is_told:
            _narrow(found, [*best, *own], tried, evidence, row)
        elif row is not None and best and row.importance.high <= NO_EFFECT and len(set(own)) == 1:
            found.after = _only(one, own[0])
            n = row.n_settings or len(evidence.settings)
            found.done.append(
                (
                    "frozen",
                    f"it explains at most {percent(max(0.0, row.importance.high))} of the order of"
                    f" {n} settings, and nothing beyond chance; the best has {value_text(own[0])}",
                )
            )
        if len(found.after.choices) != 1:
            self._widen(unit, one, found)
            found.after = replace(found.after, prior=_prior(found.after, one, own))
        return found

    def _widen(self, unit: Unit, one: Parameter, found: _Range) -> None:
        edge = next(
            (
                edge
                for edge in self._edges
                if edge.parameter.name in unit.members and edge.parameter.place == one.place
            ),
            None,
        )
        wide = self._beyond(unit, edge, found.after) if edge else found.after
        if edge and wide != found.after:
            end = "upper" if edge.is_highest else "lower"
            which = f" ({edge.parameter.name})" if unit.is_per_block else ""
            reason = (
                f"the best of {plural(len(self._evidence.settings), 'setting')} has"
                f" {value_text(edge.value)}{which}, at the {end} end of what was searched"
            )
            found.after = wide
            found.done.append(("widened", reason))

    def _beyond(self, unit: Unit, edge: Edge, narrow: Parameter) -> Parameter:
        """What is left of a range, and what lies beyond the edge."""
        wide = widened(edge, self._model)
        most = self._most_blocks if unit.name == COUNTS_BLOCKS else None
        if wide.choices:
            more = {v for v in wide.choices if v not in edge.parameter.choices}
            more = {v for v in more if most is None or v <= most}
            return replace(narrow, choices=tuple(sorted({*narrow.choices, *more})))
        if not edge.is_highest:
            return replace(narrow, low=wide.low)
        high = wide.high if most is None else min(wide.high or 0, most)
        return replace(narrow, high=max(high or 0, edge.end))


def _narrow(
    found: _Range,
    best: Sequence[Any],
    tried: Sequence[Any],
    evidence: Evidence,
    row: ParameterImportance,
) -> None:
    one = found.after
    narrow = narrowed(one, best, tried)
    if narrow is None:
        return
    mattered = f"it explains {percent(row.importance.value)} of their order, beyond chance"
    if len(narrow.choices) == 1:
        what, reason = "frozen", f"{evidence.best_words} have {value_text(narrow.choices[0])}"
    elif one.choices and one.kind != "ordinal":
        gone = ", ".join(map(value_text, losers(one, narrow)))
        what, reason = "narrowed", f"none of {evidence.best_words} has {gone}"
    else:
        low, high = min(best), max(best)
        span = f"at {value_text(low)}"
        if low != high:
            span = f"from {value_text(low)} to {value_text(high)}"
        what, reason = "narrowed", f"{evidence.best_words} lie {span}"
    found.after = narrow
    found.done.append((what, f"{reason}; {mattered}"))


def _only(one: Parameter, value: Any) -> Parameter:
    """The parameter with one value."""
    kind = one.kind if one.choices else "ordinal"
    return Parameter(
        name=one.name, kind=kind, choices=(value,), conditions=one.conditions, place=one.place
    )


def _prior(after: Parameter, before: Parameter, own: Sequence[Any]) -> Prior | None:
    """The prior of a refined range: the best value takes the place of one that is left out."""
    prior = before.prior
    if prior is None or after == before:
        return prior
    kept = next((v for v in (prior.value, *own) if _may_be(after, v)), None)
    return None if kept is None else replace(prior, value=kept, weights=())


def _may_be(one: Parameter, value: Any) -> bool:
    grid = grid_values(one)
    if grid is not None and not one.log:
        return value in grid
    return one.low is not None and one.high is not None and one.low <= value <= one.high


def _declared(unit: Unit, ranges: Sequence[Parameter]) -> Any:
    """What stands at a name of the file: a value, a declaration, or several of them."""
    specs = [declaration(one, unit.implied) for one in ranges]
    if unit.is_per_block:
        specs = [
            spec if spec["type"] == "fixed" else spec | {"per": COUNTS_BLOCKS} for spec in specs
        ]
    if len(specs) != 1:
        return specs
    (spec,) = specs
    return spec["value"] if spec["type"] == "fixed" and "when" not in spec else spec


def _change(unit: Unit, before: Any, after: Any, done: Sequence[tuple[str, str]]) -> Change:
    old, new = _ranges(before), _ranges(after)
    return Change(
        name=unit.name,
        what=", ".join(dict.fromkeys(what for what, _ in done)),
        before=tuple(text for text in old if text not in new),
        after=tuple(text for text in new if text not in old),
        reason="; ".join(dict.fromkeys(reason for _, reason in done)),
    )


def _ranges(declared: Any) -> list[str]:
    """Each range of a declaration as text; none of a name that is left out."""
    return [flow(one) for one in (declared if isinstance(declared, list) else [declared])]
