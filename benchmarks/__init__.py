"""Ratios between template engines, each measured within one run: ``python -m benchmarks``."""
