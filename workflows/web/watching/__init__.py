"""Requests as they are worked off: progress, streams, logs."""
