"""Executors: where a training runs."""
