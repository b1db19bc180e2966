"""What depends on the Keras backend: fast paths of TensorFlow and JAX, and Keras' own means.

Import `tuner.backend.active` once Keras may be imported; `tuner.backend.environment` imports no
framework.
"""
