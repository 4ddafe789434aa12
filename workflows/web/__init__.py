"""The web page: reports, their making, comparison and trends, for people without a terminal."""
