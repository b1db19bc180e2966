"""A run in a few lines of GitHub Markdown, for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuner.metrics.score_text import MISSING, percent
from tuner.records.comparison import Difference
from tuner.records.results import ModelResult, Results
from tuner.report.model_summary import ModelSummary, summarise
from tuner.report.sections import recommendation
from tuner.report.sections.trust import all_checks
from tuner.report.sections.trust.check_result import CheckResult
from tuner.report.sections.verdict import compute
from tuner.report.sections.verdict_sentence import plain_text
from tuner.report.snippets import as_yaml
from tuner.report.text import integer, interval, points_interval, without_folders

# What Markdown, its tables, HTML or GitHub's formulas would take for their own.
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~$&#]")
# GitHub notifies each @name, links each #number and web address, and draws each :emoji:,
# if nothing stands between; as an entity, since the space has no width.
_CALLS = re.compile(r"[@#](?=\w)|:(?=//|[\w+-]+:)|www(?=\.)", re.IGNORECASE)
_SPACE = "&#8203;"

_DOUBTS = {"warn": "Warning", "fail": "Failed"}
_HEAD = """\
| Model | Test accuracy | Tuned minus it | Verdict | Test images | Seeds |
| :-- | --: | --: | :-- | --: | --: |"""
_INTERVALS = (
    "Accuracy is the mean over the seeds, with its 95 % Wilson interval; a difference has the"
    " interval of its own test."
)


def as_markdown(results: Results) -> str:
    """Recommendation, verdict, models, best hyperparameters and command.

    Args:
        results: The run.

    Returns:
        Lines that end with a line break; names are written so that they show verbatim, link nothing
            and call nobody.
    """
    title = results.data.title or results.data.name
    return "\n\n".join([f"### {escaped(title)}: tuner report", *_blocks(results)]) + "\n"


def escaped(text: str) -> str:
    """People's text in one line that Markdown shows as it is."""
    line = " ".join(text.split())
    called = _CALLS.sub(lambda match: f"{match[0]}\0", line)
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", called).replace("\0", _SPACE)


def fenced(text: str, language: str) -> str:
    """A block of code whose fence is longer than any within."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _blocks(results: Results) -> Iterator[str]:
    run, search = results.run, results.search
    if refused := recommendation.none_allowed(results):
        yield f"**{escaped(plain_text(refused))}**"
    if use := recommendation.compute(results):
        why = f"{use.why} {plain_text(use.disagreement)}".rstrip()
        yield f"**{escaped(use.sentence)}** {escaped(why)}"
    yield f"**{escaped(compute(results).sentence)}**"
    if results.models:
        differences = {difference.opponent: difference for difference in results.differences}
        scored = {summary.result.name: summary for summary in summarise(results.models)}
        rows = [
            _row(model, scored.get(model.name), differences.get(model.name))
            for model in results.models
        ]
        yield "\n".join([_HEAD, *rows])
        yield _INTERVALS
    if doubts := [_doubt(check) for check in all_checks.compute(results) if check.state in _DOUBTS]:
        yield "\n".join(doubts)
    yield (
        f"Best hyperparameters, trial {escaped(search.best_trial_id)} of"
        f" {integer(search.n_trials)}:"
    )
    yield fenced(without_folders(as_yaml(search.winner_model, search.best_values)), "yaml")
    yield fenced(without_folders(run.command), "sh")


def _doubt(check: CheckResult) -> str:
    named = "; ".join(f"{name} {rest}" for name, rest in check.items)
    return (
        f"- **{_DOUBTS[check.state]}**, {check.title}:"
        f" {escaped(without_folders(f'{check.fact} {named}'))}"
    )


def _row(model: ModelResult, summary: ModelSummary | None, difference: Difference | None) -> str:
    verdict = difference.verdict if difference else MISSING
    cells = [
        escaped(model.title),
        (
            f"{percent(summary.accuracy)} {interval(summary.low, summary.high)}"
            if summary
            else "not trained"
        ),
        points_interval(difference.accuracy) if difference else MISSING,
        verdict if model.in_verdict else "not in the verdict",
        integer(summary.n) if summary else MISSING,
        str(len(model.runs)),
    ]
    return f"| {' | '.join(cells)} |"
