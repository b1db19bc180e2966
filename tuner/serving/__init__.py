"""A small HTTP service around one trained model, with a page to try it on.

`served_model` is what a model must offer; `run_model` serves a run's Keras model. `app` puts the
routes together, `server` the processes.
"""
