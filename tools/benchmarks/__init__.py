"""Benchmarks: each prints the ratios that it is about."""
