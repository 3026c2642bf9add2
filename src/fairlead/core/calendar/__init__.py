"""What local time decides: limits and their windows, schedules, public holidays."""
