"""Reports: what came in, what was sold, who received it, and who less than the others."""
