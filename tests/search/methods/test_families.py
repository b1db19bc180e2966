"""Every method searches several families: whole settings of each, and nothing of another's."""

from __future__ import annotations

from functools import partial

import pytest
from scipy import optimize

from tests.search.fakes import drive, make_study, settings
from tests.space.test_families import FAMILIES, choice
from tuner.records.trial import Trial
from tuner.space.definition import FAMILY, Family, Parameter, Space
from tuner.space.families import as_built, together
from tuner.space.methods import METHODS
from tuner.space.sampling import has_setting

RATE = Parameter(name="learning_rate", kind="float", low=1e-4, high=1e-1, log=True)
WIDE = Family(
    name="efficientnet_lite2",
    model="efficientnet_lite2",
    space=Space(parameters=(RATE, choice("optimizer", "adam", "sgd")), fixed={}),
)
FINITE = together(FAMILIES)
SPACE = together([*FAMILIES, WIDE])


def score(trial: Trial) -> float:
    """A head is best; of what is left, large batches."""
    return (trial.values[FAMILY] == "efficientnet_lite0") + trial.values.get("batch_size", 0) / 1e3


@pytest.mark.parametrize(
    "method", [name for name in METHODS if not METHODS[name].needs_single_ranges]
)
def test_settings_are_whole_and_of_every_family(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Keras Tuner's process optimises 50 times for each proposal: a minute for nothing here.
    monkeypatch.setattr(optimize, "minimize", partial(optimize.minimize, options={"maxiter": 1}))
    space = FINITE if METHODS[method].needs_finite_ranges else SPACE
    search = settings(9, 3, 2, method=method)
    trials = drive(make_study(space, search=search, seed=3), score)
    assert all(has_setting(space, trial.values) for trial in trials)
    assert {trial.values[FAMILY] for trial in trials} == set(space.parameters[0].choices)
    families = FAMILIES if space is FINITE else (*FAMILIES, WIDE)
    for trial in trials:
        model, values = as_built("cnn", families, trial.values)
        assert FAMILY not in values
        assert model in ("sigmoid_cnn", "cnn", "efficientnet_lite0", "efficientnet_lite2")
