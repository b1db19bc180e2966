"""What depends on the Keras backend: TensorFlow's fast paths and, with the same names, what Keras itself offers.

Import `tuner.backend.active` once Keras may be imported; `tuner.backend.environment` imports no
framework.
"""
