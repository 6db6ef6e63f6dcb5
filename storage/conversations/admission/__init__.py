"""Admission control: rate limits, fair queueing, backpressure and overload notices."""
