"""Measures hot paths beside their physical limits, as ratios from one run."""
