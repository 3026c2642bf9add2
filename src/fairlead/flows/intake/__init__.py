"""Leads from outside: taken in from forms and partners, held against those that came before, confirmed by email."""
