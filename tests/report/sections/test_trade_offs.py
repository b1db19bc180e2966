"""Section "Trade-offs": computed numbers, then what is drawn."""

from __future__ import annotations

from dataclasses import replace

from tests.report.fixtures import page, results, trials
from tuner.records.results import Results
from tuner.records.trial import Trial
from tuner.report.reported_run import ReportedRun
from tuner.report.sections import trade_offs
from tuner.space.constraints import Footprint


def measured() -> tuple[Trial, ...]:
    """Trials of which the later ones are slower."""
    return tuple(
        replace(
            one,
            takes=Footprint(
                n_parameters=1_000 + number,
                file_bytes=2_000_000,
                latency_ms=1.0 + number,
                latency_spread=0.04,
            ),
        )
        for number, one in enumerate(trials())
    )


def with_objectives(*costs: str, **changes: object) -> Results:
    run = results()
    changes = {"objectives": ("val_accuracy", *costs), **changes}
    return replace(run, search=replace(run.search, **changes))  # type: ignore[arg-type]


def test_a_run_of_one_objective_has_no_such_section() -> None:
    assert trade_offs.context(ReportedRun(results=results(), trials=trials())) is None
    assert 'id="trade_offs"' not in page(results())


def test_a_run_that_has_not_measured_yet_has_none() -> None:
    unmeasured = ReportedRun(results=with_objectives("latency_ms"), trials=trials())
    assert trade_offs.context(unmeasured) is None


def test_front_and_beaten_are_all_settings_and_the_noise_is_stated() -> None:
    found = trade_offs.compute(with_objectives("latency_ms"), measured())
    assert found is not None
    assert found.noise is not None
    assert round(found.noise, 6) == 0.04
    scores = [option.score for option in found.front]
    latencies = [option.costs[0] for option in found.front]
    assert scores == sorted(scores, reverse=True)
    assert latencies == sorted(latencies, reverse=True)
    assert found.others == ("parameters", "file_mb")
    assert {one.trial.trial_id for one in found.front}.isdisjoint(
        one.trial.trial_id for one in found.beaten
    )


def test_the_example_keeps_at_least_one_setting_of_the_front() -> None:
    found = trade_offs.compute(with_objectives("latency_ms"), measured())
    assert found is not None
    assert len(found.front) > 1
    name, _, bound = found.example.partition("<=")
    assert name == "latency_ms"
    assert min(option.costs[0] for option in found.front) <= float(bound)


def test_the_page_has_a_chart_for_each_cost_and_says_what_chose() -> None:
    run = with_objectives("latency_ms", "parameters", choose=("latency_ms <= 5",))
    html = page(run, measured())
    assert html.count('id="fig-trade-off-') >= 2
    assert (
        "The winner has the best score among the settings that satisfy latency_ms &lt;= 5." in html
    )
    assert "latencies that close count as equal" in html
    assert "--choose" in html


def test_a_search_that_ended_by_itself_says_so() -> None:
    run = results()
    ending = "no new setting was expected to gain 0.001, the best 0.0002"
    ended = replace(run, search=replace(run.search, ending=ending))
    assert f"The search ended early, because {ending}." in page(ended, trials())
