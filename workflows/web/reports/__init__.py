"""The reports: their list, each of them with its tabs and files, the calendar."""
