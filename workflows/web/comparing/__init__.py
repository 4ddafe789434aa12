"""Two reports or commits side by side, and evaluations."""
