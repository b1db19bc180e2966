"""Next steps that follow from values at the edge of their range."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.report.differences import difference
from tests.report.fixtures import results
from tests.report.sections.next_steps.unremarkable import important, options, quiet, steps, the_step
from tuner.report.command_lines import rerun
from tuner.report.edges import edges, override
from tuner.space.definition import Parameter
from tuner.space.parsing.parse import load_space


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
