"""Commits: each run through a suite in an environment of its own, compared with its base, and told."""
