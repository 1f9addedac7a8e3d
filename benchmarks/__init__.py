"""Figures: ratios of things that are run side by side, in turn. `python -m benchmarks.<name>` takes them anew."""
