"""Why the recommended model is not the one that the verdict favours."""

from __future__ import annotations

from collections.abc import Iterator

from tuner.records.comparison import Difference
from tuner.records.recommendation import Recommendation
from tuner.records.results import Results
from tuner.report.sections.verdict_sentence import Part
from tuner.report.text import plural


def disagreement(results: Results) -> tuple[Part, ...]:
    """That test images favour another model than validation did, and how to use that one.

    Args:
        results: The run.

    Returns:
        Sentences; empty where the two agree, or the other model may not be used.
    """
    found = results.recommendation
    favoured = _favoured(results, found) if found else None
    if found is None or favoured is None:
        return ()
    name, is_clear = favoured
    titles = {model.name: model.title for model in results.models}
    return tuple(_words(results, name, is_clear, titles[name], titles[found.model]))


def _favoured(results: Results, use: Recommendation) -> tuple[str, bool] | None:
    """The usable model that the verdict favours over the recommended one, and whether clearly."""
    main = results.main_difference
    usable = {one.name for one in use.candidates}
    spoken = {model.name for model in results.models if model.in_verdict}
    for one in sorted(results.differences, key=lambda one: one is not main):
        if use.model == "tuned" and one.opponent in usable & spoken:
            favoured, leans = one.opponent, _leans(one, "worse")
        elif use.model == one.opponent and one.opponent in spoken and "tuned" in usable:
            favoured, leans = "tuned", _leans(one, "better")
        else:
            continue
        if leans is not None:
            return favoured, leans
    return None


def _leans(difference: Difference, word: str) -> bool | None:
    """Whether a difference is clearly in this direction; None where it is not in it at all."""
    if difference.verdict in ("better", "worse"):
        return True if difference.verdict == word else None
    ends = difference.accuracy
    # One seed makes any interval inconclusive, and the reader sees the two scores all the same.
    is_apart = ends.low > 0 if word == "better" else ends.high < 0
    return False if difference.verdict == "inconclusive" and is_apart else None


def _words(
    results: Results, name: str, is_clear: bool, title: str, recommended: str
) -> Iterator[Part]:
    found = results.recommendation
    assert found is not None  # Asked for by `disagreement`.
    better = "is better" if is_clear else "scores higher"
    yield _said("The verdict below compares on test images, where ")
    yield Part(text=title, kind="name")
    yield _said(f" {better}. Test images must not choose the model; ")
    images = plural(found.n_images, "validation image")
    if name in found.level:
        yield _said(f"{images} could not tell the two apart. To use ")
    else:
        yield _said(f"{images} favoured ")
        yield Part(text=recommended, kind="name")
        yield _said(". To use ")
    yield Part(text=title, kind="name")
    yield _said(", add ")
    # Stays on one line, where a hyphen would end one.
    yield Part(text=f"--model {name}", kind="number")
    yield _said(" to predict.")


def _said(text: str) -> Part:
    return Part(text=text, kind="words")
