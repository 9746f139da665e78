"""Benchmarks: tir and others side by side in one run; medians and ratios. `python -m benchmarks [name ...]`."""
