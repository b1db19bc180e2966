"""Whole runs under constraints: what is refused, what fails, and what is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import Outcome, call
from tests.commands.conftest import whole_run
from tests.commands.finished import Finished

pytestmark = pytest.mark.slow


def bounded(place: Path, out: Path, *bounds: str, more: tuple[str, ...] = ()) -> Outcome:
    options = [word for bound in bounds for word in ("--set", f"constraints.{bound}")]
    return whole_run(place, "--out", str(out), *options, *more)


@pytest.fixture(scope="module")
def small(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run whose larger networks are refused beforehand."""
    out = tmp_path_factory.mktemp("small")
    found = bounded(place, out, "parameters=<= 400", "file_mb=<= 10")
    return Finished(place=place, outcome=found)


def test_no_trial_is_over_a_bound_that_is_known_beforehand(small: Finished) -> None:
    assert small.outcome.code == 0
    counts = [int(row["n_parameters"]) for row in small.rows("trials.csv")]
    assert counts
    assert max(counts) <= 400
    search = small.results["search"]
    assert search["constraints"] == ["parameters <= 400", "file_mb <= 10"]
    assert search["n_refused"] > 0
    assert search["n_over"] == search["n_failed"] == 0
    # Too many poolings, which is another reason.
    assert search["n_rejected"] > 0


def test_the_terminal_and_the_page_tell_what_was_refused(small: Finished) -> None:
    n = small.results["search"]["n_refused"]
    refused = f"{n} drawn settings refused before training"
    assert "note: constraints: parameters <= 400, file_mb <= 10" in small.outcome.err
    assert f"note: constraints: {refused}" in small.outcome.err
    page = (small.path / "report.html").read_text()
    assert f"Constraints: parameters &lt;= 400, file_mb &lt;= 10; {refused}." in page


def test_a_bound_that_all_trained_models_break_ends_the_search_with_it(
    place: Path, tmp_path: Path
) -> None:
    found = bounded(place, tmp_path, "latency_ms=<= 1e-6")
    assert found.code == 5
    last = found.err.splitlines()[-2:]
    assert last[0].startswith("no trial succeeded: ")
    assert " broke a constraint; the nearest: latency " in last[0]
    assert last[1] == "  Fix: raise constraints.latency_ms, or allow smaller models in the space."


def test_a_bound_that_nothing_keeps_trains_nothing(place: Path, tmp_path: Path) -> None:
    found = bounded(place, tmp_path, "parameters=<= 3")
    assert found.code == 2
    assert "drawn settings meets the constraints; the nearest: " in found.err


def test_a_baseline_over_a_bound_is_compared_marked_and_not_recommended(
    place: Path, tmp_path: Path
) -> None:
    compare = ("--set", "compare=[baseline]")
    found = bounded(place, tmp_path, "parameters=<= 400", more=compare)
    run = Finished(place=place, outcome=found)
    tuned, baseline = run.results["models"]
    assert tuned["breach"] == ""
    assert baseline["runs"]
    assert baseline["breach"].endswith("parameters are over the 400 of constraints.parameters")
    recommendation = run.results["recommendation"]
    assert [one["name"] for one in recommendation["candidates"]] == ["tuned"]
    assert f"Excluded by the constraints: {baseline['title']} ({baseline['breach']})." in (
        found.err.replace("\n", " ")
    )


def test_a_plan_counts_what_is_refused(place: Path, tmp_path: Path) -> None:
    common = ("./my photos", "--space", "tiny.yaml", "--seed", "3", "--executor", "inline")
    bound = ("--set", "constraints.parameters=<= 400", "--out", str(tmp_path))
    found = call("plan", *common, *bound, cwd=place)
    assert found.code == 0
    assert "parameters <= 400" in found.err
    assert "drawn settings refused before training, such as:" in " ".join(found.err.split())
