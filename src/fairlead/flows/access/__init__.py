"""Who is let in, and to what: users, passwords, second factors, sessions, API keys."""
