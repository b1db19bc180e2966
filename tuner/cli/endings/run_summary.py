"""The last words of a run."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tuner.cli.terminal import abilities, output
from tuner.cli.terminal.paths import shown_path
from tuner.commands.run import RunOutcome
from tuner.records.results import Results
from tuner.records.search_summary import SearchSummary
from tuner.report.command_lines import resume_command
from tuner.report.facts import only_class
from tuner.report.sections import recommendation
from tuner.report.sections.recommendation import RecommendationSection
from tuner.report.sections.verdict import VerdictSection, compute
from tuner.report.sections.verdict_sentence import plain_text
from tuner.report.text import plural

_INDENT = "  "


def summary_lines(outcome: RunOutcome, command: str) -> list[str]:
    """The model to use, the verdict, where the report is, and what to do next."""
    results = outcome.results
    path = shlex.quote(shown_path(outcome.folder.path))
    report = f"Report   {shown_path(outcome.folder.report)}"
    if outcome.stopped:
        where = [report] if results else []
        return [
            "",
            f"The run was {outcome.stopped}. You can resume it.",
            *where,
            f"Resume   {resume_command(command)}",
        ]
    assert results is not None  # Only a stopped run has none.
    use, refused = recommendation.compute(results), recommendation.none_allowed(results)
    lines = [
        "",
        *([_wrapped(_use(use))] if use else []),
        *([_wrapped(plain_text(use.disagreement))] if use and use.disagreement else []),
        *([_wrapped(plain_text(refused))] if refused else []),
        *([_wrapped(left_out)] if (left_out := _left_out(use, results)) else []),
        *_verdict(compute(results)),
        *_constant(results, told={"tuned", use.name} if use else set()),
        *_failed(results.search),
        "",
        report,
        f"Train    python -m tuner train --from {path}",
    ]
    # `--search-only` keeps no model; where none may be recommended, there is the winner's.
    which = "--model tuned " if refused else ""
    predict = f"Predict  python -m tuner predict {path} {which}IMAGE"
    export = f"Export   python -m tuner export {path} {which}--format litert"
    return [*lines, predict, export] if results.models else lines


def run_ended(outcome: RunOutcome, command: str) -> dict[str, Any]:
    """The last JSON line of a run: its files, the model to use, the verdict and all test scores.

    There is one test accuracy per model and seed.
    """
    record: dict[str, Any] = {
        "event": "RunEnded",
        "folder": outcome.folder.path.as_posix(),
        "stopped": outcome.stopped,
    }
    if outcome.stopped:
        record["resume"] = resume_command(command)
    results = outcome.results
    if results is None:
        return record
    main, use = results.main_difference, recommendation.compute(results)
    return record | {
        "recommendation": {
            "model": use.name,
            "file": use.file,
            "sentence": use.sentence,
            "reason": use.why,
        }
        if use
        else None,
        "report": outcome.folder.report.as_posix(),
        "verdict": compute(results).sentence,
        "verdict_word": main.verdict if main else None,
        "difference": {"opponent": main.opponent, **asdict(main.accuracy)} if main else None,
        "best_score": results.search.best_score,
        "test_accuracy": {
            model.name: [run.test.accuracy for run in model.runs] for model in results.models
        },
        "only_class": {model.name: only_class(model) for model in results.models if model.runs},
    }


def missed_improvement(outcome: RunOutcome) -> str:
    """Why a run has not shown that its winner is better, in one line; empty where it has."""
    results = outcome.results
    main = results.main_difference if results else None
    if main is None:
        sized = results.search.sized if results else ""
        why = f" (time budget: {sized})" if sized else ""
        return f"the winner could not be tested against another model{why}"
    if main.verdict == "better":
        return ""
    reason = " ".join(main.reason.split())
    return f"the verdict is {main.verdict}{f' ({reason})' if reason else ''}"


def _use(use: RecommendationSection) -> str:
    """Such as `Use Baseline: 97.6 % [...] on ..., 24 MB, 21 ms per image; PATH.`."""
    return f"{plain_text(use.headline)}; {use.file}. {plain_text(use.warning)}".rstrip()


def _verdict(verdict: VerdictSection) -> Iterator[str]:
    """The verdict, and below it the finalists and the other comparisons, one a line."""
    yield _wrapped(plain_text(verdict.headline))
    yield from (_wrapped(plain_text(said), _INDENT) for said in verdict.details)


def _left_out(use: RecommendationSection | None, results: Results) -> str:
    """The models that were left out by the constraints; empty where there are none."""
    is_told = use is not None and any(model.breach for model in results.models)
    return plain_text(use.left_out) if use is not None and is_told else ""


def _constant(results: Results, told: set[str]) -> list[str]:
    """A line for each model that tells nothing apart, except for those already named."""
    found = [
        (model.title, name)
        for model in results.models
        if model.name not in told and (name := only_class(model)) is not None
    ]
    return [
        _wrapped(f'{title} predicts only one class, "{name}", for every test image.')
        for title, name in found
    ]


def _failed(search: SearchSummary) -> Iterator[str]:
    """How many trials have failed, and where you read why."""
    if search.n_failed:
        failed = f"{search.n_failed} of {plural(search.n_trials, 'trial')} failed"
        yield _wrapped(f"{failed}; trials.csv beside the report has the reasons.")


def _wrapped(text: str, indent: str = "") -> str:
    """A terminal would break the line within a word."""
    if not output.ERRORS.isatty():
        return f"{indent}{text}"
    return textwrap.fill(
        text, abilities.size()[0], initial_indent=indent, subsequent_indent=2 * indent
    )
