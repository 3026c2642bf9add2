"""What providers and operators are told: queued with its cause, sent after it."""
