"""Request and response models, and the types of their fields, that several routes share."""
