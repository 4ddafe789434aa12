"""Commits put through suites: their worktrees and environments, runs, comparison with their base, pages, triggers."""
