"""Next steps: each follows from a fact, and each command is one that the tool takes."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.report.differences import difference
from tests.report.fixtures import recommending, results, search_only, trials
from tuner.cli.commands import cli
from tuner.cli.run_commands import check_testable
from tuner.pipeline.presets import PRESETS
from tuner.records.comparison import Verdict
from tuner.records.importance import Importance, ParameterImportance
from tuner.records.results import Results
from tuner.records.scores import Estimate, Temperature
from tuner.records.trial import Trial
from tuner.report.command_lines import rerun
from tuner.report.edges import edges, override
from tuner.report.html_document import make_environment
from tuner.report.reported_run import ReportedRun
from tuner.report.sections.next_steps.next_step import NextStep
from tuner.report.sections.next_steps.rules import MAX_STEPS, compute, context
from tuner.report.sections.next_steps.search_steps import THOROUGH_EPOCHS
from tuner.space.definition import Parameter, SearchSpaceFile
from tuner.space.parsing.parse import load_space

SPACE = """
version: 1
space:
  conv_blocks: {type: int, min: 2, max: 4}
  filters: {type: choice, values: [16, 32, 64], per: conv_blocks}
  kernel_size: {type: choice, values: [3, 5, 7], per: conv_blocks}
  kernel_size_0: [3, 5, 7]
  conv_dropout: {type: float, min: 0.1, max: 0.4, step: 0.1, per: conv_blocks}
  dense_units: [32, 64, 128]
  label_smoothing: [0.05, 0.1, 0.2]
  dropout: {type: float, min: 0.2, max: 0.5, step: 0.1}
  optimizer: [sgd, adam]
  momentum: {type: float, min: 0.5, max: 0.9, when: {optimizer: sgd}}
  learning_rate: {type: float, min: 1e-4, max: 1e-2, sampling: log}
  weight_decay: {type: choice, values: [1e-5, 1e-4, 1e-3], when: {optimizer: adam}}
  batch_size: {type: int, min: 32, max: 128, sampling: log}
"""


@pytest.fixture
def space(tmp_path: Path) -> Path:
    path = tmp_path / "space.yaml"
    path.write_text(SPACE, encoding="utf-8")
    return path


def quiet(n_seeds: int = 3, n_test: int = 600) -> Results:
    """A run without any fact that calls for a step; of mirrored images no overfit gap is known."""
    run = results(n_seeds=n_seeds, n_test=n_test)
    winner = replace(run.models[0], values={"flip": True})
    search = replace(run.search, n_failed=0, parameters=())
    return replace(run, search=search, models=(winner, *run.models[1:]))


def steps(run: Results, some: tuple[Trial, ...] = ()) -> tuple[NextStep, ...]:
    return compute(ReportedRun(results=run, trials=some))


def the_step(run: Results, some: tuple[Trial, ...] = ()) -> NextStep:
    (step,) = steps(run, some)
    return step


def section(run: Results) -> str:
    """The section as the page has it."""
    return (
        make_environment("tuner.report")
        .get_template("sections/next_steps.html")
        .render(context(ReportedRun(results=run)))
    )


def options(code: str) -> dict[str, Any]:
    """What the command line makes of a command, without running it."""
    python, _, module, name, *words = shlex.split(code)
    assert (python, module) == ("python", "tuner")
    command = cli.commands[name]
    given = command.make_context(name, words).params
    if given.get("require_improvement"):
        checked = ("nested", "search_only", "preset", "overrides")
        check_testable(**{name: given[name] for name in checked})
    return given


def test_no_fact_no_step() -> None:
    assert steps(quiet()) == ()
    assert "This run suggests no next step." in section(quiet())


def test_a_better_winner_and_nothing_else_is_trained_for_production() -> None:
    step = the_step(replace(quiet(), differences=(difference("better", 0.05),)))
    assert "+5.0 points" in step.fact
    assert options(step.code)["source"] == Path("reports/faces/20250102-030405-ab12cd34")
    assert options(step.code)["full_data"]


@pytest.mark.parametrize(("use", "titles"), [("tuned", []), ("baseline", ["Baseline"])])
def test_what_is_trained_for_production_is_the_recommended_model(
    use: str, titles: list[str]
) -> None:
    run = replace(quiet(), differences=(difference("better", 0.05),))
    step = the_step(recommending(run, use))
    assert [title for title, _ in step.items] == titles
    assert ("the recommended model" in step.fact) is (titles != [])
    assert options(step.code)["model"] is None


def test_an_unfinished_run_only_goes_on() -> None:
    run = results(n_seeds=1)
    step = the_step(
        replace(
            run, run=replace(run.run, state="searching"), search=replace(run.search, n_trials=7)
        )
    )
    assert "7 of 23 planned trials" in step.fact
    assert options(step.code)["resume"]


def test_there_are_at_most_three_and_what_matters_most_comes_first() -> None:
    run = results(n_seeds=1, n_classes=2)
    run = replace(
        run,
        run=replace(run.run, command="python -m tuner run faces --limit 100"),
        data=replace(run.data, test_counts=(590, 10), limit=100),
    )
    found = steps(run, trials())
    assert len(found) == MAX_STEPS
    assert [step.action.split()[0] for step in found] == ["Search", "Run", "Run"]


def test_a_winner_at_the_constant_guess_leads_to_a_longer_search(space: Path) -> None:
    run = quiet()
    step = the_step(replace(run, data=replace(run.data, test_counts=(590, 10, 0, 0, 0, 0, 0))))
    assert "98.3 %" in step.fact
    assert options(step.code)["preset"] == "thorough"


def test_a_longer_search_keeps_nothing_that_would_hold_it_short() -> None:
    command = (
        "python -m tuner run faces --max-epochs 3 --set=search.factor=2 --time-budget 9m --set"
        " space.dropout=0.1"
    )
    run = quiet()
    run = replace(
        run, run=replace(run.run, command=command), differences=(difference("worse", -0.01),)
    )
    assert (
        the_step(run).code == "python -m tuner run faces --set space.dropout=0.1 --preset thorough"
    )
    # What made it longer than the preset would stays.
    run = replace(run, search=replace(run.search, max_epochs=THOROUGH_EPOCHS))
    assert the_step(run).code == f"{command} --preset thorough"
    assert PRESETS["thorough"].search.max_epochs == THOROUGH_EPOCHS


def test_where_classes_are_rare_it_leads_to_another_objective_too(space: Path) -> None:
    run = quiet()
    data = replace(
        run.data,
        test_counts=(590, 10, 0, 0, 0, 0, 0),
        train_counts=(700, 100, 100, 100, 100, 100, 100),
    )
    found = steps(replace(run, data=data))
    assert [step.action.split(",")[0] for step in found] == [
        "Search and train longer",
        "Search for macro F1",
    ]
    assert parsed(found[1], space).objective.name == "val_macro_f1"


@pytest.mark.parametrize(
    ("reason", "option", "value"),
    [
        ("ResourceExhausted: out of memory", "workers", 1),
        ("no step in 600 s", "trial_timeout_s", 1800.0),
        ("ValueError: something else", "retries", 1),
    ],
)
def test_failed_trials_are_mended_by_their_commonest_reason(
    reason: str, option: str, value: float
) -> None:
    run = quiet()
    failed = tuple(replace(t, error=reason) if t.error else t for t in trials())
    step = the_step(replace(run, search=replace(run.search, n_failed=3)), failed)
    assert "3 of 23 trials failed" in step.fact
    assert step.items == ((reason, "(3 trials)"),)
    assert options(step.code)[option] == value


def test_one_seed_asks_for_more_in_the_way_that_the_preset_obeys(space: Path) -> None:
    run = quiet(n_seeds=1)
    assert parsed(the_step(run), space).retrain.seeds == 3
    quick = replace(run.run, preset="quick", command="python -m tuner run faces --preset quick")
    step = the_step(replace(run, run=quick))
    assert step.code == "python -m tuner run faces --preset standard"
    assert step.fact.endswith("a new run: it searches again, with the standard preset.")


def test_limits_in_force_are_lifted() -> None:
    run = quiet()
    command = "python -m tuner run faces --limit 500 --time-budget=30m --seed 3"
    run = replace(
        run,
        run=replace(run.run, command=command),
        data=replace(run.data, limit=500),
        search=replace(run.search, n_stopped=4),
    )
    step = the_step(run)
    assert step.code == "python -m tuner run faces --seed 3"
    assert "500 images" in step.fact
    assert "4 of 23 trials" in step.fact


def test_search_only_is_followed_by_the_comparison() -> None:
    run = replace(search_only(), search=quiet().search)
    run = replace(run, run=replace(run.run, command="python -m tuner run faces --search-only"))
    assert the_step(run).code == "python -m tuner run faces"


def test_a_cut_off_retraining_gets_twice_the_epochs(space: Path) -> None:
    run = quiet()
    runs = tuple(replace(one, best_epoch=12) for one in run.models[0].runs)
    winner = replace(run.models[0], runs=runs, max_epochs=12)
    step = the_step(replace(run, models=(winner, *run.models[1:])))
    assert "epoch 12" in step.fact
    assert parsed(step, space).retrain.epochs == 24


def overfitting() -> Results:
    """Training accuracy far above validation accuracy, on images that are not changed."""
    run = quiet()
    winner = run.models[0]
    kept = tuple(
        replace(
            one,
            epochs=tuple(
                replace(e, metrics={"accuracy": 0.99, "val_accuracy": 0.8}) for e in one.epochs
            ),
        )
        for one in winner.runs
    )
    return replace(run, models=(replace(winner, runs=kept, values={}), *run.models[1:]))


def test_overfitting_is_met_by_what_was_not_searched_yet(space: Path) -> None:
    run = overfitting()
    step = the_step(run)
    assert "19.0 points" in step.fact
    assert "shift" in [p.name for p in parsed(step, space).space.parameters]
    changed = replace(run.models[0], values={"flip": True})
    assert steps(replace(run, models=(changed, *run.models[1:]))) == ()


def test_a_pretrained_network_that_is_ahead_is_searched_itself() -> None:
    run = quiet()
    backbone = replace(run.models[2], model="efficientnet_b2", values={"weights": "imagenet"})
    run = replace(
        run,
        run=replace(
            run.run,
            command="python -m tuner run faces --set space.dropout=0.1 --space mine.yaml --seed 1",
        ),
        models=(*run.models[:2], backbone),
        differences=(difference("worse", -0.05, opponent="efficientnet_b2"),),
    )
    step = the_step(run)
    assert step.code == "python -m tuner run faces --seed 1 --model efficientnet_b2"
    assert step.items == ((backbone.title, "by +5.0 points, from +1.0 to +9.0"),)
    scratch = replace(backbone, values={"weights": "none"})
    assert steps(replace(run, models=(*run.models[:2], scratch))) == ()


def unsure(image_sd: float, seed_sd: float, *, n_test: int = 43, **data: Any) -> Results:
    """A run whose main difference is inconclusive."""
    run = quiet(n_test=n_test)
    found = difference(
        "inconclusive", 0.0, margin=0.02, n=n_test, image_sd=image_sd, seed_sd=seed_sd
    )
    command = f"{run.run.command} --require-improvement"
    return replace(
        run,
        run=replace(run.run, command=command),
        data=replace(run.data, **data),
        differences=(found,),
    )


def test_few_images_of_ones_own_are_tested_in_turn() -> None:
    step = the_step(unsure(0.02, 0.01))
    given = options(step.code)
    assert (given["nested"], given["require_improvement"]) == (True, False)
    assert "the difference runs from −2.0 to +2.0 points" in step.fact
    assert "gives no verdict" in step.fact


@pytest.mark.parametrize(
    "run", [unsure(0.02, 0.01, n_test=401), unsure(0.02, 0.01, is_official_split=True)]
)
def test_images_that_no_option_brings_are_to_be_collected(run: Results) -> None:
    step = the_step(run)
    assert (step.action, step.code) == ("Collect more test images", "")
    assert "<pre" not in section(run)


def test_noise_of_the_seeds_asks_for_twice_the_seeds(space: Path) -> None:
    for n_test in (43, 600):
        step = the_step(unsure(0.01, 0.02, n_test=n_test))
        assert parsed(step, space).retrain.seeds == 6


@pytest.mark.parametrize(
    ("error", "option", "value"),
    [("out of memory", "workers", 1), ("ValueError: something else", "seed", 2)],
)
def test_trainings_that_failed_are_mended_before_more_are_asked_for(
    error: str, option: str, value: int
) -> None:
    run = unsure(0.02, 0.01)
    winner = run.models[0]
    kept = tuple(one for one in winner.runs if one.is_kept)
    winner = replace(winner, runs=kept, n_failed=2, error=error)
    step = the_step(replace(run, models=(winner, *run.models[1:])))
    assert step.fact == "2 retrainings failed:"
    assert step.items == ((winner.title, "(1 of 3 trainings succeeded)"), (error, "(the reason)"))
    assert options(step.code)[option] == value


def test_a_command_that_lost_a_folder_says_what_to_put_there() -> None:
    run = quiet(n_seeds=1)
    told = "Replace “…/” with your own folder."
    assert told not in section(run)
    command = "python -m tuner run faces --data-dir '/srv/our photos/faces'"
    source = section(replace(run, run=replace(run.run, command=command)))
    assert source.count(told) == source.count("<pre") == 1
    assert "our photos" not in source


def test_a_temperature_that_helps_is_used() -> None:
    run = quiet()
    bins = run.models[0].runs[0].test.calibration
    temperature = Temperature(
        value=1.43,
        n=500,
        validation_log_loss=(0.9, 0.8),
        test_calibration_error=(0.11, 0.04),
        test_log_loss=(0.95, 0.9),
        calibration=bins,
    )
    step = the_step(replace(run, temperature=temperature))
    assert "11.0 %" in step.fact
    assert "4.0 %" in step.fact
    assert options(step.code)["calibrated"]
    # The temperature on the page is the winner's.
    for use, model in (("tuned", None), ("baseline", "tuned")):
        step = the_step(recommending(replace(run, temperature=temperature), use))
        assert options(step.code)["model"] == model
    for useless in ({"test_calibration_error": (0.05, 0.04)}, {"test_log_loss": (0.9, 0.95)}):
        assert steps(replace(run, temperature=replace(temperature, **useless))) == (), useless


@pytest.mark.parametrize("verdict", ["worse", "no clear difference"])
def test_a_winner_that_is_not_better_is_searched_longer(verdict: Verdict) -> None:
    run = replace(quiet(), differences=(difference(verdict, -0.01),))
    step = the_step(run)
    assert options(step.code)["preset"] == "thorough"
    assert "−1.0 points" in step.fact


@pytest.mark.parametrize(
    ("name", "value", "changed"),
    [
        ("conv_blocks", 4, [2, 5]),
        ("conv_blocks", 2, [1, 4]),
        ("filters_1", 64, [16, 32, 64, 128]),
        ("filters_1", 16, [8, 16, 32, 64]),
        ("kernel_size_0", 7, [3, 5, 7, 9]),
        ("kernel_size_2", 3, [1, 3, 5, 7]),
        ("conv_dropout_0", 0.4, [0.1, 0.5]),
        ("dense_units", 128, [32, 64, 128, 256]),
        ("label_smoothing", 0.2, [0.05, 0.1, 0.2, 0.4]),
        ("dropout", 0.5, [0.2, 0.6]),
        ("dropout", 0.2, [0.1, 0.5]),
        ("momentum", 0.9, [0.5, 0.9999]),
        ("learning_rate", 1e-2, [1e-4, 0.04]),
        ("learning_rate", 1e-4, [2.5e-05, 1e-2]),
        ("weight_decay", 1e-5, [1e-6, 1e-5, 1e-4, 1e-3]),
        ("batch_size", 128, [32, 512]),
    ],
)
def test_a_value_at_the_edge_widens_its_range_in_the_file_that_was_searched(
    space: Path, name: str, value: float, changed: list[float]
) -> None:
    before = load_space(space).space.parameters
    parameter = next(p for p in before if p.name == name)
    optimizer = "sgd" if name == "momentum" else "adam"
    best = {"conv_blocks": 4, "optimizer": optimizer, name: value}
    search = replace(quiet().search, parameters=(parameter,), best_values=best)
    step = the_step(replace(quiet(), search=search, importance=important(name)))
    assert step.items[0][0] == name
    assert "23 trials" in step.fact
    after = parsed(step, space).space.parameters
    (wider,) = (p for p in after if p.name == name)
    assert (list(wider.choices) or [wider.low, wider.high]) == pytest.approx(changed)
    assert (wider.conditions, wider.log, wider.step) == (
        parameter.conditions,
        parameter.log,
        parameter.step,
    )
    # Only blocks come and go with their number.
    unchanged = {replace(p, conditions=()) for p in before if p.name != name}
    assert unchanged <= {replace(p, conditions=()) for p in after}


def important(*names: str, chance: float = 0.01) -> Importance:
    estimate = Estimate(value=0.1, low=-0.05, high=0.2)
    ranked = tuple(
        ParameterImportance(name=name, importance=estimate, chance=chance) for name in names
    )
    return Importance(n_trials=50, n_settings=40, parameters=ranked, reason="")


def test_a_network_that_is_ahead_comes_before_the_edges() -> None:
    run = quiet()
    backbone = replace(run.models[2], model="efficientnet_b2", values={"weights": "imagenet"})
    rate = Parameter(name="learning_rate", kind="float", low=0.1, high=1.0)
    search = replace(
        run.search, model="cnn", parameters=(rate,), best_values={"learning_rate": 1.0}
    )
    models = (*run.models[:2], backbone)
    run = replace(
        run,
        search=search,
        models=models,
        differences=(difference("worse", -0.05, opponent="efficientnet_b2"),),
    )
    assert [step.action for step in steps(run)] == [
        "Search the pretrained network",
        "Search beyond the edge",
    ]


def test_the_edges_of_what_mattered_most_come_first(space: Path) -> None:
    wanted = ("dropout", "learning_rate", "batch_size", "dense_units")
    parameters = tuple(p for p in load_space(space).space.parameters if p.name in wanted)
    best = {"dropout": 0.5, "learning_rate": 1e-2, "batch_size": 128, "dense_units": 128}
    importance = important("learning_rate", "batch_size", "dense_units")
    run = quiet()
    search = replace(run.search, parameters=parameters, best_values=best)
    step = the_step(replace(run, search=search, importance=importance))
    assert [name for name, _ in step.items][:2] == ["learning_rate", "batch_size"]
    assert len(step.items) == len(options(step.code)["overrides"]) == 3


def test_the_end_of_a_list_calls_for_a_step_only_where_it_mattered() -> None:
    parameter = Parameter(name="kernel_size", kind="choice", choices=(3, 5, 7))
    run = quiet()
    run = replace(
        run, search=replace(run.search, parameters=(parameter,), best_values={"kernel_size": 7})
    )
    assert steps(run) == ()
    assert steps(replace(run, importance=important("kernel_size", chance=0.2))) == ()
    assert (
        the_step(replace(run, importance=important("kernel_size"))).action
        == "Search beyond the edge"
    )
    group = important("sizes (per block)")
    rows = tuple(replace(row, members=("kernel_size", "other")) for row in group.parameters)
    assert (
        the_step(replace(run, importance=replace(group, parameters=rows))).action
        == "Search beyond the edge"
    )


def test_a_name_that_no_command_line_takes_has_no_override() -> None:
    run = quiet()
    name = "a.b = c"
    parameter = next(p for p in results().search.parameters if p.name == "dropout")
    search = replace(
        run.search,
        parameters=(replace(parameter, name=name),),
        best_values={name: 1.0},
        model="my:build",
    )
    (edge,) = edges(search)
    assert override(edge, search) is None
    assert steps(replace(run, search=search)) == ()


def test_a_rerun_replaces_options_and_keeps_the_rest() -> None:
    command = "python -m tuner run './my photos' --preset quick --nested --set a=1 --json"
    assert (
        rerun(command, "--preset", "standard", without=["--nested"])
        == "python -m tuner run './my photos' --set a=1 --json --preset standard"
    )
    assert rerun(command, "--set", "b=2").endswith("--set a=1 --json --set b=2")
    assert (
        rerun("python -m tuner run faces --require-improvement -q")
        == "python -m tuner run faces -q"
    )


def test_the_page_shows_fact_and_command_of_each_step() -> None:
    run = results(n_seeds=1)
    source = section(run)
    for number, step in enumerate(steps(run), 1):
        assert f'<h3 id="step-{number}">{step.action}</h3>' in source
        assert f'aria-labelledby="step-{number}"' in source
    assert source.count("<pre") == len(steps(run)) > 0


def parsed(step: NextStep, path: Path) -> SearchSpaceFile:
    """The space that a step's command searches."""
    given = options(step.code)
    return load_space(path, given["overrides"], given["model"])


@pytest.mark.parametrize("family", ["efficientnet_lite0", "cnn"])
def test_a_backbone_that_won_among_several_families_may_be_searched_alone(family: str) -> None:
    run = quiet()
    families = ("cnn", "efficientnet_lite0")
    run = replace(run, search=replace(run.search, families=families, best_family=family))
    if family == "cnn":
        assert steps(run) == ()
        return
    step = the_step(run)
    assert step.action == "Search the winning family alone"
    assert step.fact.startswith("efficientnet_lite0 won among 2 families.")
    assert options(step.code)["model"] == "efficientnet_lite0"


def test_regularisers_of_the_files_space_are_not_proposed_for_another_family() -> None:
    run = overfitting()
    assert [step.action for step in steps(run)] == ["Search for augmentation"]
    search = replace(run.search, families=("cnn", "baseline"), best_family="baseline")
    assert steps(replace(run, search=search)) == ()
