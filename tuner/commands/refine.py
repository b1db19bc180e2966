"""`refine`: the next search space from what a finished run has learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuner.errors import ConfigurationError
from tuner.metrics.score_text import decimal
from tuner.pipeline.outputs.named_run import named_run
from tuner.pipeline.outputs.searched_space import searched_space
from tuner.pipeline.run_options import REPORTS
from tuner.records.results import Results
from tuner.records.trial import Trial
from tuner.refinement.evidence import MIN_SETTINGS, Evidence, evidence_of
from tuner.refinement.families import Families, next_families
from tuner.refinement.refined_space import Change, refined_space
from tuner.refinement.space_text import NextSpace
from tuner.report.command_lines import rerun, resume_command
from tuner.report.text import plural
from tuner.space.definition import SearchSpaceFile
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.families import each_family
from tuner.space.parsing.families import BASELINE
from tuner.space.parsing.parse import parse_space
from tuner.store.files.whole_files import write_text
from tuner.store.run_folder import RunFolder
from tuner.store.trial_tables import TrialTables

NAME = "refined.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refined:
    """A space that was refined.

    Attributes:
        path: Its file.
        command: What searches it as the run was searched: with the same seed, preset and limits.
        changes: What differs from the run's space, in its order.
        families: What it searches, and which of the run's families it leaves out.
        n_unchanged: Hyperparameters that stay as they were.
        note: What else to know; may be empty.
    """

    path: Path
    command: str
    changes: tuple[Change, ...]
    families: Families
    n_unchanged: int
    note: str


def refine(name: Path, out: Path | None, *, may_replace: bool = False) -> Refined:
    """Write the next space of a finished run.

    Args:
        name: The run's folder, or a name of it.
        out: The file to write; `refined.yaml` in the run's folder by default.
        may_replace: Whether a file that is there already is written over.

    Raises:
        ConfigurationError: If there is no finished run, nothing was searched in it, its files are
            damaged, or the file is there already or cannot be written.
    """
    run = named_run(name, REPORTS)
    folder = RunFolder(run)
    results = folder.read_results()
    _check_searched(run, results)
    path = out or run / NAME
    if path.exists() and not may_replace:
        raise ConfigurationError(
            f"{path}: already exists", "name another file with --out, or add --force."
        )
    trials = TrialTables(run).read()
    evidence = evidence_of(results.search, trials, results.importance, str(run))
    file = searched_space(folder)
    families = _families(results, trials, evidence)
    space = refined_space(evidence, _fixed(file, evidence), _most_blocks(results))
    new = NextSpace(
        file=file,
        preset=results.run.preset,
        families=families,
        space=space,
        start_from=tuple(_start_from(run, file, results)),
        origin=_origin(run, evidence),
    )
    # What `run` would refuse must not be written.
    parse_space(parse_document(new.text, str(path)))
    _write(path, new.text)
    return Refined(
        path=path,
        command=rerun(
            results.run.command,
            "--space",
            path.as_posix(),
            without=("--set", "--model", "--resume"),
        ),
        changes=space.changes,
        families=families,
        n_unchanged=space.n_unchanged,
        note=_note(evidence),
    )


def _check_searched(run: Path, results: Results) -> None:
    """Refuse a run that is unfinished, or has searched nothing."""
    if not results.run.is_complete:
        raise ConfigurationError(
            f"{run}: the run has not ended, so its search may still find better settings",
            f"resume it: {resume_command(results.run.command)}",
        )
    if results.run.recipe:
        raise ConfigurationError(
            f"{run}: was trained from a recipe, so it has no search",
            f"refine the run that the recipe comes from ({results.run.recipe}).",
        )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be written: {error.strerror or error}", "name another file with --out."
        ) from error


def _fixed(file: SearchSpaceFile, evidence: Evidence) -> dict[str, Any]:
    """What the space fixes for the family of the best setting."""
    best = evidence.search.best_family
    family = next(one for one in each_family(file) if one.name == best or not file.families)
    return dict(family.space.fixed)


def _families(results: Results, trials: Sequence[Trial], evidence: Evidence) -> Families:
    search, data = evidence.search, results.data
    if not search.families:
        return Families(names=(search.model,), reasons={})
    return next_families(search, trials, search.best_family, data.n_validation * data.n_folds)


def _most_blocks(results: Results) -> int:
    """Poolings by 2 that the images have pixels for."""
    return min(results.data.height, results.data.width).bit_length() - 1


def _start_from(run: Path, file: SearchSpaceFile, results: Results) -> list[str]:
    """The run's best, its winner where that is another one, and the baseline if it was there."""
    found = [run.as_posix()]
    if results.recommendation is not None and results.recommendation.model != "tuned":
        found.insert(0, RunFolder(run).recipe_of("tuned").as_posix())
    return [*found, *(name for name in file.start_from if name == BASELINE)]


def _origin(run: Path, evidence: Evidence) -> tuple[str, ...]:
    search = evidence.search
    settings = plural(len(evidence.settings), "setting")
    return (
        f"Refined from {run.as_posix()}: {settings}, the best with {search.objective}"
        f" {decimal(search.best_score, 4)} (trial {search.best_trial_id}).",
        "A comment above each changed line gives the reason and the previous value.",
    )


def _note(evidence: Evidence) -> str:
    n = len(evidence.settings)
    if n < MIN_SETTINGS:
        return (
            f"nothing is narrowed: that needs at least {MIN_SETTINGS} settings, but the run has {n}"
        )
    found = evidence.importance
    if found is None or found.reason:
        reason = found.reason if found else "it was not computed."
        return (
            "nothing is narrowed or frozen, since the importance of the hyperparameters is"
            f" unknown: {reason}"
        )
    return ""
