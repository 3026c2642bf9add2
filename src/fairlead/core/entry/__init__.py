"""What people type, made canonical at the door: one module for each kind of value, the same for every way in."""
