"""Labels are looked for with one network where the recipe combines predictions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.images import SMALL_CNN
from tests.store.recipes import make_recipe
from tuner.models.registry import complete
from tuner.production.single_network import single_network
from tuner.records.combination import Combination, Member, View
from tuner.store.recipe_file import write_recipe

VIEWS = Combination(views=(View(), View(right=1)))


def member(trial: str, share: float, epochs: int, model: str = "cnn") -> Member:
    return Member(
        trial_id=trial,
        model=model,
        values={**SMALL_CNN, "filters": epochs} if model == "cnn" else {},
        seed=epochs,
        epochs=epochs,
        schedule_epochs=20 if model != "cnn" else None,
        share=share,
        temperature=1.0,
    )


def test_a_recipe_of_one_network_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "best.yaml"
    assert single_network(make_recipe(), path) == (make_recipe(), path, "")


def test_the_runs_tuned_recipe_takes_the_place_of_a_combination(tmp_path: Path) -> None:
    tuned = replace(make_recipe(), title="Tuned CNN", epochs=7)
    (tmp_path / "models").mkdir()
    file = tmp_path / "models/tuned.yaml"
    write_recipe(tuned, file, "")
    combined = replace(make_recipe(), title="Ensemble of 2 trials (cnn)", combination=VIEWS)
    for path in (tmp_path / "best.yaml", tmp_path / "models/ensemble.yaml"):
        found, where, told = single_network(combined, path)
        assert (found, where) == (tuned, file)
        assert told == (
            "Ensemble of 2 trials (cnn) combines predictions; labels are looked for with the tuned"
            " model alone: Tuned CNN"
        )


def test_without_it_the_member_with_the_largest_share_trains_as_it_did(tmp_path: Path) -> None:
    members = (member("0003", 0.4, 3), member("0005", 0.6, 5))
    combined = replace(
        make_recipe(), title="Ensemble", test_accuracy=0.9, combination=Combination(members=members)
    )
    found, _, told = single_network(combined, tmp_path / "best.yaml")
    assert found.combination is None
    assert (found.epochs, found.max_epochs, found.schedule, found.seed) == (5, 5, "constant", 5)
    assert found.values == complete("cnn", members[1].values)
    assert found.test_accuracy == 0.9
    assert found.title == "cnn of trial 0005"
    assert told.endswith("its member with the largest share alone: cnn of trial 0005, 5 epochs")


def test_a_member_of_a_backbone_keeps_its_falling_rate(tmp_path: Path) -> None:
    members = (member("0001", 0.7, 4, "efficientnet_b2"), member("0002", 0.3, 3))
    combined = replace(make_recipe(), combination=Combination(members=members))
    found, _, _ = single_network(combined, tmp_path / "best.yaml")
    assert (found.model, found.schedule) == ("efficientnet_b2", "cosine")
    assert (found.epochs, found.max_epochs) == (4, 20)


def test_without_it_views_are_left_out(tmp_path: Path) -> None:
    combined = replace(make_recipe(), title="Views", combination=VIEWS)
    found, _, told = single_network(combined, tmp_path / "best.yaml")
    assert found == replace(make_recipe(), title="Views")
    assert told.endswith("with its network alone")
