"""What no worker tries again by itself."""
