"""The job queue: everything that knows which library carries it.

The lead's or notification's row is the truth, a job only a hint: the worker that handles one reads the row again, so
that a duplicate, late or lost job is at worst a delay.
"""
