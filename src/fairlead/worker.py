"""Workers: take jobs, call one flow each, and keep the marketplace going."""
