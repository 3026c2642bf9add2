"""What operators' pages show, put together from what flows and views give."""
