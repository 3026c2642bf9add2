"""WATCHES: logs, metrics and traces."""
