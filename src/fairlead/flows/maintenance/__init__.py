"""What the marketplace does on a schedule, to keep itself in order."""
