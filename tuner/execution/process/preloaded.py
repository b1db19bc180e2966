"""What the fork server imports, so that workers have it at once.

None of it may run an operation of a framework: TensorFlow's threads do not survive a fork.
"""

import gc

from tuner.backend import framework

framework.load()

# Only now: `load` is to import the framework, with imports deferred and nothing collected.
import tuner.execution.process.task_server  # noqa: E402
import tuner.models.cnn  # noqa: E402
import tuner.training.fit  # noqa: E402, F401

# Nor is it looked through when the fork server ends.
gc.freeze()
