"""The job queue: one table, and the workers that take from it.

The lead's or notification's row is the truth, a job only a hint: the worker that handles one reads the row again, so
that a duplicate, late or lost job is at worst a delay.
"""
