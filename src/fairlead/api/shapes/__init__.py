"""What requests and answers are made of, where several routes share it."""
