"""Measures over commits and dates: series, charts, the wall screen."""
