"""Leads as rows: taken in, reviewed, waiting, run, shown."""
