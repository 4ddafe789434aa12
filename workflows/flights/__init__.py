"""The example pipeline: which departures from New York were unusual, given the weeks before."""

from workflows.flights.queries import Flights, Weather
from workflows.flights.stages import Anomalies, ExpectedDelays, Volumes

__all__ = ["Anomalies", "ExpectedDelays", "Flights", "Volumes", "Weather"]
