"""Who may log in, and what they hold: users, sessions, second factors, keys, and how often each may try."""
