"""One thread, set before any test computes.

Results of workers are compared with this process' to the last bit.
"""

from __future__ import annotations

from tuner.backend.active import prepare_devices

prepare_devices(1)
