"""How fast a training step is in each precision, on this very machine."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tuner.backend import cpu
from tuner.pipeline.preparation.precision import MEASUREMENT


@pytest.mark.slow
def test_process_of_its_own_prints_seconds_of_both_precisions() -> None:
    # Fewer images than of a measurement: what is tested is not how exact it is.
    script = MEASUREMENT.replace("step_speed.main()", "step_speed._BATCH = 8; step_speed.main()")
    assert script != MEASUREMENT
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    seconds = json.loads(found.stdout)
    assert seconds.keys() == {"float32", "mixed_bfloat16"}
    assert all(value > 0 for value in seconds.values())
    if cpu.has_bfloat16_units() is False:
        # They are emulated.
        assert seconds["mixed_bfloat16"] > seconds["float32"]
