"""The live feed over WebSockets: one poller per process, many who watch."""
