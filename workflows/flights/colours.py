"""The colours of pages and charts: ink on white, one hue per airport, red for what deserves a look."""

from __future__ import annotations

INK = "#1b2733"
MUTED = "#66737f"
LINE = "#dde3e8"
FAINT = "#f1f4f6"
QUIET = "#b9c3cc"  # marks that are there for comparison
BAR = "#9fb8cb"

ALARM = "#b3312c"
ALARM_FAINT = "#fbeeed"
GOOD = "#2f7550"
GOOD_FAINT = "#ebf5ef"

AIRPORTS = {"EWR": "#2c6a99", "JFK": "#c2701f", "LGA": "#4d8757"}
