"""Personal data of consumers: erasing it, showing beforehand what goes, and giving a person what is held of it."""
