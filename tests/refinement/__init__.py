"""Tests of `tuner.refinement`."""
