"""Reliability diagrams, calibration errors and what temperature scaling is said to do."""

from __future__ import annotations

from dataclasses import replace

from tests.report.fixtures import results, search_only
from tuner.records.results import Results
from tuner.records.scores import Estimate, Temperature
from tuner.report.charts.model_styles import style_of
from tuner.report.html_document import make_environment
from tuner.report.reported_run import ReportedRun
from tuner.report.sections.prediction_errors import confusion, reliability
from tuner.report.sections.prediction_errors.reliability import compute, scaling_words


def temperature(run: Results, error: tuple[float, float], loss: tuple[float, float]) -> Temperature:
    return Temperature(
        value=1.43,
        n=500,
        validation_log_loss=(0.9, 0.8),
        test_calibration_error=error,
        test_log_loss=loss,
        calibration=run.models[0].runs[0].test.calibration[:2],
    )


def errors_section(run: Results) -> str:
    """The section as the page has it."""
    environment = make_environment("tuner.report")
    environment.globals["style_of"] = style_of
    reported = ReportedRun(results=run)
    return "".join(
        environment.get_template(f"sections/{name}.html").render(results=run, **context)
        for name, context in (
            ("confusion", confusion.context(reported)),
            ("reliability", reliability.context(reported)),
        )
        if context
    )


def test_each_model_has_the_diagram_of_its_kept_seed_and_the_winner_one_more() -> None:
    run = results()
    run = replace(run, temperature=temperature(run, (0.11, 0.04), (0.95, 0.9)))
    found = compute(run)
    assert [(d.summary.result.name, d.is_tempered) for d in found.diagrams] == [
        ("tuned", False),
        ("baseline", False),
        ("efficientnet_b2", False),
        ("tuned", True),
    ]
    kept = next(one for one in run.models[0].runs if one.is_kept)
    assert found.diagrams[0].error == kept.test.calibration_error
    assert found.diagrams[0].bins == kept.test.calibration
    assert sum(b.n for b in found.diagrams[0].bins) == found.n == 600
    assert found.diagrams[-1].error == 0.04


def test_a_temperature_of_one_changes_nothing_and_has_no_diagram() -> None:
    run = results()
    found = replace(temperature(run, (0.11, 0.11), (0.95, 0.95)), value=1.004)
    shown = compute(replace(run, temperature=found))
    assert shown.scaling == "Temperature scaling changes nothing (T = 1.00)."
    assert not any(one.is_tempered for one in shown.diagrams)


def test_without_scores_there_is_no_diagram_and_without_temperature_no_word_of_it() -> None:
    assert compute(search_only()).diagrams == ()
    assert compute(results()).scaling == ""


def test_the_words_on_temperature_hold_every_number_and_admit_a_loss() -> None:
    run = results()
    better = scaling_words(temperature(run, (0.11, 0.04), (0.95, 0.9)))
    assert "T = 1.43, fitted on 500 validation images (log loss there 0.900 before" in better
    assert "calibration error falls from 11.0 % to 4.0 %" in better
    assert "log loss falls from 0.950 to 0.900. Both improve." in better
    worse = scaling_words(temperature(run, (0.04, 0.05), (0.9, 0.95)))
    assert "error rises from 4.0 % to 5.0 %" in worse
    assert "Both get worse" in worse
    same = scaling_words(temperature(run, (0.0404, 0.0401), (0.9, 0.8)))
    assert (
        "error stays at 4.0 %, and its log loss falls from 0.900 to 0.800. This is not a clear"
        " gain." in same
    )


def test_the_legend_names_what_is_drawn_and_nothing_else() -> None:
    run = results()
    models = (run.models[0], replace(run.models[1], name="tuned_tta", title="Extra"))
    run = replace(run, models=models, temperature=temperature(run, (0.11, 0.04), (0.95, 0.9)))
    legend = errors_section(run).split("<figcaption>Test set")[1].split("</figcaption>")[0]
    assert legend.count("Tuned CNN") == 2
    assert "after temperature scaling" in legend
    assert "Extra" not in legend
    assert "backbone" not in legend


def test_the_page_has_the_figure_its_table_and_the_interval_of_each_error() -> None:
    run = results()
    models = tuple(
        replace(m, calibration_error=Estimate(value=0.111, low=0.09, high=0.13)) for m in run.models
    )
    section = errors_section(replace(run, models=models))
    assert 'aria-labelledby="fig-reliability-title' in section
    assert section.count("[9.0, 13.0]") == 3
    table = section.split('aria-label="Reliability diagram"')[1]
    assert table.count("<tr><t") - 1 == sum(len(d.bins) for d in compute(run).diagrams)
