"""The pages of providers: each shows the caller's own rows, and no others."""
