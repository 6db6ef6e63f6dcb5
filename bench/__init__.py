"""Benchmarks: `make bench` prints the figures of DESIGN section 7."""
