"""Section "Recommendation": which model to use, why, and how to load it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner.metrics.score_text import decimal, is_share, percent, score_text
from tuner.names import is_own
from tuner.records.recommendation import Recommendation, ValidatedModel
from tuner.records.results import ModelResult, Results
from tuner.report.facts import only_class, recommended_of, winner_of
from tuner.report.model_summary import metric_words, summarise
from tuner.report.reported_run import ReportedRun
from tuner.report.sections.disagreement import disagreement
from tuner.report.sections.verdict_sentence import Part, plain_text
from tuner.report.text import file_size, interval, plural, without_folders


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationSection:
    """The whole section.

    Attributes:
        name: The model's `ModelResult.name`.
        headline: Which model to use, with its test score, size and latency.
        warning: Where the winner of the search, or the model itself, names one class only; else
            empty.
        reason: Why this one.
        disagreement: That the verdict favours another one, and why; else empty.
        rule: How it was chosen.
        left_out: Scored models that there was no choosing among; may be empty.
        file: The model's file, as seen from where the run was started.
        command: What predicts with it.
        python: What loads it; empty for a builder of your own, whose layers Keras may not know.
        is_folder_hidden: Whether the folders of an absolute path were left out of what to paste.
    """

    name: str
    headline: tuple[Part, ...]
    warning: tuple[Part, ...]
    reason: tuple[Part, ...]
    disagreement: tuple[Part, ...]
    rule: str
    left_out: tuple[Part, ...]
    file: str
    command: str
    python: str
    is_folder_hidden: bool

    @property
    def sentence(self) -> str:
        """The recommendation as plain text."""
        return plain_text([*self.headline, _words(". "), *self.warning])

    @property
    def why(self) -> str:
        """The reason as plain text."""
        return plain_text(self.reason)


def context(reported: ReportedRun) -> dict[str, Any] | None:
    """What the template is given; None where there was nothing to recommend."""
    found, refused = compute(reported.results), none_allowed(reported.results)
    return {"use": found, "refused": refused} if found or refused else None


def none_allowed(results: Results) -> tuple[Part, ...]:
    """That no model keeps the constraints; empty where one is recommended, or could be."""
    scored = [model for model in results.models if model.runs]
    if results.recommendation or not scored or not all(model.breach for model in scored):
        return ()
    opening = Part(text="No model is recommended", kind="opening")
    return (opening, _words(": each breaks a constraint. "), *_breaches(scored))


def compute(results: Results) -> RecommendationSection | None:
    """Which model to use; None where no model was kept, or an earlier version made the run."""
    found, model = results.recommendation, recommended_of(results)
    if found is None or model is None:
        return None
    titles = {one.name: one.title for one in results.models}
    folder = without_folders(results.run.folder)
    path = f"{folder}/{found.file}"
    # The file of a combination was loaded by Keras alone before it was kept.
    builds_own = is_own(model.model) and not found.chosen.is_combined
    return RecommendationSection(
        name=model.name,
        headline=tuple(_headline(model)),
        warning=tuple(_warning(results, model)),
        reason=tuple(_reason(results, found, titles)),
        disagreement=disagreement(results),
        rule=found.rule,
        left_out=tuple(_left_out(results, found)),
        file=f"{results.run.folder}/{found.file}",
        command=f"python -m tuner predict {shlex.quote(folder)} image.jpg",
        python=""
        if builds_own
        else (
            "import keras\n"
            # JSON's string literals are Python's too.
            f"model = keras.models.load_model({json.dumps(path, ensure_ascii=False)})  # 0-255\n"
        ),
        is_folder_hidden=folder != results.run.folder,
    )


def _headline(model: ModelResult) -> Iterator[Part]:
    """Such as `Use Baseline: 97.6 % [95.1, 99.0] on 240 test images, 24 MB, 21 ms per image`."""
    yield Part(text="Use", kind="opening")
    yield _words(" ")
    yield _name(model.title)
    yield _words(": ")
    scored = summarise([model])
    if not scored:
        yield _words("it could not be scored on the test images")
        return
    (summary,) = scored
    score = f"{percent(summary.accuracy)} {interval(summary.low, summary.high)}"
    yield Part(text=score, kind="number")
    yield _words(f" on {plural(summary.n, 'test image')}, ")
    yield Part(text=file_size(model.file_size_bytes), kind="number")
    yield _words(", ")
    yield Part(text=f"{decimal(model.latency_ms, 1)} ms", kind="number")
    yield _words(" per image")


def _warning(results: Results, model: ModelResult) -> Iterator[Part]:
    """A model that tells nothing apart must not pass for a result."""
    if (named := only_class(model)) is not None:
        yield _words("However, it predicts only one class, “")
        yield _name(named)
        yield _words("”, for every test image. ")
    winner = winner_of(results)
    if winner is None or winner.result.name == model.name:
        return
    if (named := only_class(winner.result)) is not None:
        yield _words("The winner of the search, ")
        yield _name(winner.result.title)
        yield _words(", predicts only one class, “")
        yield _name(named)
        yield _words("”, for every test image.")


def _reason(results: Results, found: Recommendation, titles: Mapping[str, str]) -> Iterator[Part]:
    """Such as `Chosen on 9 validation images: smoothed validation accuracy 90.0 %; ...`."""
    chosen = found.chosen
    others = [one for one in found.candidates if one.name != found.model]
    lower = " (lower is better)" if results.search.direction == "min" else ""
    yield _words(f"Chosen on {plural(found.n_images, 'validation image')}: ")
    objective = results.search.objective
    yield _words(f"smoothed {metric_words(objective)} {score_text(chosen.score, objective)}{lower}")
    if not others:
        yield _words(". There was no other model to choose from.")
    elif len(found.level) == 1:
        yield _words("; second best: ")
        yield from _with_score(others[0], titles, objective)
        yield _words(".")
    elif found.level[0] == found.model:
        yield _words(". Within one standard error, but not clearly smaller: ")
        level = [one for one in others if one.name in found.level]
        for number, one in enumerate(level):
            yield _words(", " if number else "")
            yield from _with_score(one, titles, objective)
        yield _words(".")
    else:
        best = found.candidates[0]
        is_simpler = best.is_combined and not chosen.is_combined
        error = _points(best.standard_error, objective)
        yield _words(f". Within one standard error ({error}) of ")
        yield from _with_score(best, titles, objective)
        yield _words(f", and {'a single network' if is_simpler else 'smaller'}.")


def _with_score(model: ValidatedModel, titles: Mapping[str, str], objective: str) -> Iterator[Part]:
    yield _name(titles.get(model.name, model.name))
    yield _words(f", {score_text(model.score, objective)}")
    if model.is_constant:
        yield _words(", which predicts only one class")


def _points(standard_error: float, objective: str) -> str:
    if is_share(objective):
        return f"{decimal(100 * standard_error, 1)} points"
    return decimal(standard_error)


def _left_out(results: Results, found: Recommendation) -> Iterator[Part]:
    names = {one.name for one in found.candidates}
    others = [model for model in results.models if model.runs and model.name not in names]
    combined = [model for model in others if not model.breach]
    for number, model in enumerate(combined):
        yield _words("; " if number else "Not considered: ")
        yield _name(model.title)
        reason = found.left_out.get(model.name, "which is not kept as one model")
        yield _words(f", {reason}")
    if combined:
        yield _words(". ")
    if len(combined) < len(others):
        yield _words("Excluded by the constraints: ")
        yield from _breaches([model for model in others if model.breach])


def _breaches(models: Sequence[ModelResult]) -> Iterator[Part]:
    """Such as `Baseline (1,234,567 parameters are over the 1,000,000 of ...).`."""
    for number, model in enumerate(models):
        yield _words(", " if number else "")
        yield _name(model.title)
        yield _words(f" ({model.breach})")
    yield _words(".")


def _name(text: str) -> Part:
    return Part(text=text, kind="name")


def _words(text: str) -> Part:
    return Part(text=text, kind="words")
