"""The audit log, and the events that it makes with the journal."""
