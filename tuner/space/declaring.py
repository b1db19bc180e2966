"""Parameters as a search space file declares them: the way back from records to YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from tuner.space.definition import DEFAULT_SPREAD, Parameter, Prior

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What YAML 1.1 or 1.2 takes for a truth value or for nothing.
_YAML_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def declaration(parameter: Parameter, implied: Collection[str] = ()) -> dict[str, Any]:
    """The whole declaration of a parameter, as plain values.

    Args:
        parameter: The parameter, or one of several ranges.
        implied: Parents whose conditions the file does not state, such as the number of blocks.
    """
    if len(parameter.choices) == 1:
        spec: dict[str, Any] = {"type": "fixed", "value": parameter.choices[0]}
    elif parameter.kind == "boolean":
        spec = {"type": "boolean"}
    elif parameter.choices:
        spec = {"type": "choice", "values": list(parameter.choices)}
    else:
        spec = {"type": parameter.kind, "min": parameter.low, "max": parameter.high}
    if parameter.step:
        spec["step"] = parameter.step
    if parameter.kind == "int":
        # Records hold all bounds as floats.
        spec |= {name: int(spec[name]) for name in ("min", "max", "step") if name in spec}
    if parameter.log:
        spec["sampling"] = "log"
    if parameter.prior is not None and len(parameter.choices) != 1:
        spec["prior"] = _usual(parameter.prior, parameter.choices)
    when = {c.parent: list(c.values) for c in parameter.conditions if c.parent not in implied}
    return spec | ({"when": when} if when else {})


def flow(value: Any) -> str:
    """Plain values as YAML on one line: `{type: float, min: 0.0, max: 0.5}`."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_text(key)}: {flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _usual(prior: Prior, choices: Collection[Any]) -> Any:
    # A favourite among words takes half of the draws, the others are even.
    even = 0.5 / max(1, len(choices))
    if prior.weights and prior.weights != tuple(
        even + 0.5 * (choice == prior.value) for choice in choices
    ):
        weights = zip(choices, prior.weights, strict=True)
        return {_key(value): weight for value, weight in weights if weight}
    if prior.weights or prior.spread == DEFAULT_SPREAD:
        return prior.value
    return {"value": prior.value, "spread": prior.spread}


def _key(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS
    return text if is_plain else json.dumps(text, ensure_ascii=False)
