"""Movements of money, one verb each, and looking at them."""
