"""The marketplace in numbers, for people and for Prometheus."""
