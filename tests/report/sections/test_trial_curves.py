"""Learning curves of the trials: joined over promotions, the best first, thinned visibly."""

from __future__ import annotations

import math
from dataclasses import replace

from tests.report.fixtures import results, trials
from tuner.records.results import Results
from tuner.records.training import EpochMetrics
from tuner.records.trial import Trial
from tuner.report.sections import trial_curves


def trial(number: int, values: list[float], *, first: int = 1, parent: str | None = None) -> Trial:
    epochs = tuple(
        EpochMetrics(
            epoch=first + i, metrics={"val_accuracy": value, "accuracy": 0.9}, duration_s=1.0
        )
        for i, value in enumerate(values)
    )
    return replace(
        trials(1)[0],
        trial_id=f"{number:04}",
        parent_id=parent,
        first_epoch=first,
        last_epoch=first + len(values) - 1,
        epochs=epochs,
        score=max(values) if values else None,
        error=None if values else "boom",
    )


def run(best: str) -> Results:
    found = results()
    search = replace(found.search, best_trial_id=best, objective="val_accuracy", direction="max")
    return replace(found, search=search)


def test_a_promotion_continues_the_line_of_its_trial() -> None:
    some = [
        trial(0, [0.2, 0.3]),
        trial(1, [0.4, 0.5]),
        trial(2, [0.6, 0.55], first=3, parent="0001"),
    ]
    found = trial_curves.compute(run("0002"), some)
    assert found.n == 2
    best, other = found.drawn
    assert best.is_best
    assert (best.trial_id, best.n_trials, best.epochs) == ("0002", 2, (1, 2, 3, 4))
    assert (best.best_epoch, best.best) == (3, 0.6)
    assert [epoch for epoch, _ in best.training] == [1, 2, 3, 4]
    assert (other.trial_id, other.is_best) == ("0000", False)


def test_a_best_trial_that_a_promotion_made_worse_stays_the_best() -> None:
    some = [trial(0, [0.9]), trial(1, [0.5], first=2, parent="0000"), trial(2, [0.8])]
    found = trial_curves.compute(run("0000"), some)
    assert (found.drawn[0].trial_id, found.drawn[0].is_best) == ("0001", True)


def test_failed_trials_and_values_that_are_not_finite_have_no_point() -> None:
    some = [trial(0, []), trial(1, [float("nan")]), trial(2, [0.5, float("inf"), 0.6])]
    found = trial_curves.compute(run("0002"), some)
    assert found.n == 1
    assert found.drawn[0].epochs == (1, 3)


def test_many_and_long_curves_are_thinned_and_the_best_is_among_them() -> None:
    many = [trial(n, [0.1 + n / 1000] * 90) for n in range(200)]
    found = trial_curves.compute(run("0199"), many)
    assert (found.n, len(found.drawn)) == (200, trial_curves.MAX_CURVES)
    assert found.is_thinned
    assert [c.trial_id for c in found.drawn[:3]] == ["0199", "0198", "0197"]
    assert int(found.drawn[-1].trial_id) < 10
    points = found.drawn[0].points
    assert len(points) <= trial_curves.MAX_POINTS + 2
    assert (points[0][0], points[-1][0]) == (1, 90)


def test_lower_is_better_where_a_loss_is_minimised() -> None:
    found = run("0001")
    minimised = replace(found, search=replace(found.search, direction="min"))
    some = [trial(0, [0.9, 0.7]), trial(1, [0.5, 0.6])]
    curves = trial_curves.compute(minimised, some)
    assert [(c.trial_id, c.best_epoch) for c in curves.drawn] == [("0001", 1), ("0000", 2)]


def test_a_run_whose_epochs_lack_the_objective_has_no_such_part() -> None:
    from tuner.report.reported_run import ReportedRun

    other = replace(run("0000"), search=replace(run("0000").search, objective="val_own"))
    assert trial_curves.context(ReportedRun(results=other, trials=[trial(0, [0.5])])) is None


def test_the_chart_is_the_same_every_time() -> None:
    found = trial_curves.compute(run("0001"), [trial(0, [0.5]), trial(1, [0.6, 0.7])])
    assert (
        trial_curves.draw_trial_curves(found).__html__()
        == trial_curves.draw_trial_curves(found).__html__()
    )


def test_nothing_is_drawn_beyond_the_axes() -> None:
    from matplotlib.figure import Figure

    some = [trial(n, [0.5 + n / 100, 0.52]) for n in range(20)] + [trial(20, [-40.0, 0.6])]
    axes = Figure().add_subplot()
    trial_curves.draw_trial_curves(trial_curves.compute(run("0020"), some)).paint(axes)
    low, high = axes.get_ylim()
    drawn = [v for line in axes.lines for v in line.get_ydata() if not math.isnan(v)]
    # The other 20 settings in one line with gaps, those of one epoch, and three of the best.
    assert len(axes.lines) == 5
    assert len(drawn) == 20 * 2 + 0 + 2 + 2 + 1
    assert low <= min(drawn) <= max(drawn) <= high
    # The training curve of the best one is above all others, and within.
    assert max(drawn) == 0.9
    assert low > -1
