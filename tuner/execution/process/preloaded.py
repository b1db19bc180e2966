"""What the fork server imports, so that workers have it at once.

None of it may run an operation of a framework: TensorFlow's threads do not survive a fork.
"""

from tuner.backend import framework

framework.load("tuner.execution.process.task_server", "tuner.models.cnn", "tuner.training.fit")
