"""Outbound: email, webhooks and their templates."""
