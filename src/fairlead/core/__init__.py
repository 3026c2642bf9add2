"""Decisions, pure: functions that say who gets a lead, and why the others did not."""
