"""The health of the templates."""
