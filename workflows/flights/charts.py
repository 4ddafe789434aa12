"""The charts of the reports: one function per chart, from records to a Picture."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import MaxNLocator
from pandas import DataFrame

from workflows.flights import colours
from workflows.flights.picture import Picture, blank, drawn, hours, level
from workflows.flights.records import DailyVolumes, Departures, ScoredDepartures, WeatherHours, rows
from workflows.flights.wording import AIRPORTS, airline, count, number, percent

HIGHEST_DELAY = 240  # minutes: bands beyond it are cut off, they would flatten all others
FEW_CANCELLED = 10  # flights in an hour: the scale reaches this far at least, so that one or two look like few


def delays_by_hour(day: Departures) -> Picture:
    """Median and middle half of the departure delay through the day, one panel per airport, cancelled flights below."""
    if not len(day):
        return blank("No flights to draw.")
    table = day.by_hour()
    top = 1.08 * float(np.nanmax([30.0, table["median"].max(), min(table["high"].max(), HIGHEST_DELAY)]))
    low = min(-10.0, float(np.nanmin([0.0, table["low"].min()])) * 1.2)

    def draw(figure: Figure) -> None:
        delays, gone = figure.subplots(2, len(AIRPORTS), sharex=True, sharey="row", height_ratios=[3, 1])
        for upper, lower, origin in zip(delays, gone, AIRPORTS, strict=True):
            _delays(upper, origin, table[table["origin"] == origin])
            _cancelled(lower, table[table["origin"] == origin])
        delays[0].set_ylim(low, top)
        delays[0].set_ylabel("departure delay, minutes")
        gone[0].set_ylim(0, max(FEW_CANCELLED, table["cancelled"].max()) * 1.1)
        gone[0].set_ylabel("cancelled")
        figure.align_ylabels()

    return drawn(draw, 4.4, "Departure delay (median, middle half) and cancelled flights by hour, for each airport.")


def _delays(axes: Axes, origin: str, table: DataFrame) -> None:
    colour = colours.AIRPORTS[origin]
    hour = np.arange(5, 24)  # hours without departures interrupt the line
    line = table.set_index("hour").reindex(hour)
    axes.set_title(f"{AIRPORTS[origin]}  {origin}", color=colour)
    axes.grid(axis="y")
    level(axes, 0)
    axes.fill_between(hour, line["low"], line["high"], color=colour, alpha=0.2, linewidth=0)
    axes.plot(hour, line["median"], color=colour, marker="o", markersize=3)
    hours(axes)


def _cancelled(axes: Axes, table: DataFrame) -> None:
    total = int(table["cancelled"].sum())
    axes.set_title(
        f"{total:,} of {count(int(table['flights'].sum()), 'flight')} cancelled" if total else "none cancelled",
        fontweight="normal",
        color=colours.ALARM if total else colours.MUTED,
        pad=5,
    )
    axes.bar(table["hour"], table["cancelled"], width=0.82, color=colours.ALARM)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True, steps=[1, 2, 5, 10]))
    axes.grid(axis="y")
    hours(axes)


def disruption_by_airline(day: Departures, late_after: int) -> Picture:
    """Share of each airline's flights that left late or not at all, as bars, most disrupted first."""
    table = day.by_airline(late_after)
    if table.empty:
        return blank("No flights to draw.")
    table = table.sort_values(["disrupted", "carrier"], ascending=[True, False], ignore_index=True)
    late, cancelled = table["late"] / table["flights"], table["cancelled"] / table["flights"]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.barh(table.index, late, height=0.62, color=colours.BAR)
        axes.barh(table.index, cancelled, left=late, height=0.62, color=colours.ALARM)
        for row in rows(table):
            text = f"{percent(row.disrupted, 0)}  of {row.flights:,}"
            axes.annotate(
                text, (row.disrupted, row.Index), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8.5
            )
        axes.set_yticks(table.index, [airline(name) for name in table["airline"]], color=colours.INK)
        axes.set_xlim(0, max(0.1, table["disrupted"].max()) * 1.12)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(-0.6, len(table) + 0.3)
        _legend(axes, [(f"{late_after} minutes late or more", "#6f93ac"), ("cancelled", colours.ALARM)])

    return drawn(draw, 0.7 + 0.25 * len(table), "Share of flights late or cancelled, by airline.")


def _legend(axes: Axes, entries: list[tuple[str, str]]) -> None:
    """Words in their colours, side by side above the panel."""
    before: Annotation | None = None
    for text, colour in entries:
        before = axes.annotate(
            text,
            xy=(1, 1) if before else (0, 1),
            xycoords=before or "axes fraction",
            xytext=(14 if before else 2, 0),
            textcoords="offset points",
            color=colour,
            fontsize=8.5,
            fontweight="bold",
            va="top",
        )


def weather(day: WeatherHours) -> Picture:
    """Temperature, wind, rain and visibility through the day, one line per airport."""
    if not len(day):
        return blank("No weather was recorded on this day.")
    table = day.plausible().table
    kinds = [
        ("temp", "temperature, °F"),
        ("wind_speed", "wind, mph"),
        ("precip", "rain or snow, inches in the hour"),
        ("visib", "visibility, miles"),
    ]
    floors = {"wind_speed": (0, 30), "precip": (0, 0.2), "visib": (0, 10.5)}

    def draw(figure: Figure) -> None:
        panels = figure.subplots(2, 2, sharex=True).ravel()
        for axes, (column, title) in zip(panels, kinds, strict=True):
            _weather_lines(axes, table, column, title)
            if column in floors:
                low, least = floors[column]
                axes.set_ylim(low, max(least, axes.get_ylim()[1]))
        low, high = panels[0].get_ylim()
        panels[0].set_ylim(low, high + 0.15 * (high - low))  # room for the legend
        _legend(panels[0], [(AIRPORTS[origin], colours.AIRPORTS[origin]) for origin in AIRPORTS])

    return drawn(draw, 4.3, "Temperature, wind, precipitation and visibility by hour at the three airports.")


def _weather_lines(axes: Axes, table: DataFrame, column: str, title: str) -> None:
    for origin in AIRPORTS:
        line = table[table["origin"] == origin].groupby("hour")[column].mean().reindex(range(24))
        axes.plot(line.index, line, color=colours.AIRPORTS[origin], marker="o", markersize=2, linewidth=1.5)
    axes.set_title(title, fontweight="normal", color=colours.INK, pad=8)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=column == "temp", steps=[1, 2, 2.5, 5, 10]))
    axes.grid(axis="y")
    hours(axes, 0, 23)


def scores(day: ScoredDepartures, threshold: float, numbered: int) -> Picture:
    """Score of every departure over its scheduled time, one panel per airport; the strongest bear their rank."""
    if not len(day.scored):
        return blank("No departure has a score.")
    ranks = {index: rank for rank, index in enumerate(day.beyond(threshold).table.index[:numbered], start=1)}
    table = day.scored.table.assign(rank=lambda table: table.index.map(ranks))
    lowest, highest = min(-2 * threshold, table["score"].min() * 1.3), max(4 * threshold, table["score"].max() * 1.5)

    def draw(figure: Figure) -> None:
        panels = figure.subplots(1, len(AIRPORTS), sharey=True)
        for axes, origin in zip(panels, AIRPORTS, strict=True):
            axes.set_title(f"{AIRPORTS[origin]}  {origin}", color=colours.AIRPORTS[origin])
            _scores(axes, table[table["origin"] == origin], threshold, last=axes is panels[-1])
        # Even within the threshold and logarithmic beyond it: the crowd and the extremes both stay readable.
        panels[0].set_yscale("symlog", linthresh=threshold, linscale=0.6)
        panels[0].set_ylim(lowest, highest)
        ticks = [
            tick
            for tick in (-30, -10, 0, 10, 30, 100, 300)
            if lowest < tick < highest and not 0 < abs(tick) <= threshold
        ]
        panels[0].set_yticks(ticks, [number(tick) for tick in ticks])
        panels[0].set_yticks([], minor=True)
        panels[0].set_ylabel("score")

    beyond = len(day.beyond(threshold))
    return drawn(draw, 4.2, f"Score of every departure by scheduled time; {beyond} are beyond the threshold.")


def _scores(axes: Axes, table: DataFrame, threshold: float, *, last: bool) -> None:
    beyond = table["score"].abs() > threshold
    time = table["hour"] + table["minute"] / 60
    axes.axhspan(-threshold, threshold, color=colours.FAINT, linewidth=0)
    axes.axhline(0, color=colours.LINE, linewidth=0.8)
    level(axes, threshold, f"threshold {threshold:g}" if last else "")
    for chosen, colour, size in ((~beyond, colours.QUIET, 9), (beyond, colours.ALARM, 15)):
        axes.scatter(time[chosen], table["score"][chosen], s=size, color=colour, linewidth=0, alpha=0.85, zorder=3)
    for row in rows(table.assign(time=time)[table["rank"].notna()]):
        axes.annotate(f"{row.rank:.0f}", (row.time, row.score), xytext=(4, 0), textcoords="offset points",
                      va="center", fontsize=8, zorder=4)  # fmt: skip
    hours(axes)


def anomalies_by_hour_and_airline(day: ScoredDepartures, threshold: float) -> Picture:
    """Where the anomalies were: among all departures of each hour, and as a share of each airline's."""
    if not len(day.scored):
        return blank("No departure has a score.")
    hourly = day.beyond_by("hour", threshold)
    carriers = day.beyond_by("airline", threshold).sort_values(
        ["share", "airline"], ascending=[True, False], ignore_index=True
    )

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, width_ratios=[1.25, 1])
        left.set_title("by scheduled hour")
        left.bar(hourly["hour"], hourly["flights"], width=0.82, color=colours.LINE)
        left.bar(hourly["hour"], hourly["beyond"], width=0.82, color=colours.ALARM)
        left.grid(axis="y")
        left.yaxis.set_major_locator(MaxNLocator(7, integer=True))
        left.set_ylabel("departures with a score; anomalies in red")
        hours(left)
        right.set_title("share of each airline's departures")
        right.barh(carriers.index, carriers["share"], height=0.62, color=colours.ALARM)
        for row in rows(carriers):
            text = f"{percent(row.share, 0)}  {row.beyond} of {row.flights:,}"
            right.annotate(
                text, (row.share, row.Index), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8
            )
        right.set_yticks(carriers.index, [airline(name) for name in carriers["airline"]], color=colours.INK)
        right.set_xlim(0, max(0.1, carriers["share"].max()) * 1.45)
        right.xaxis.set_visible(False)
        right.spines["bottom"].set_visible(False)
        right.tick_params(axis="y", length=0)

    height = max(3.2, 0.8 + 0.22 * len(carriers))
    return drawn(draw, height, "Anomalies by scheduled hour, and as a share of the departures of each airline.")


def anomalies_and_weather(day: ScoredDepartures, threshold: float) -> Picture:
    """Share of anomalies in each hour above the weather of that hour, averaged over the flights."""
    if not len(day.scored):
        return blank("No departure has a score.")
    conditions = day.scored.table.groupby("hour")[["wind_speed", "precip", "visib"]].mean()
    if conditions.isna().all(axis=None):
        return blank("No weather was recorded at the hours of these flights.")
    share = day.beyond_by("hour", threshold).set_index("hour")["share"]
    strips = [
        (share * 100, "anomalies, % of departures", colours.ALARM, 20.0),
        (conditions["wind_speed"], "wind, mph", colours.BAR, 25.0),
        (conditions["precip"], "rain or snow, in/h", colours.BAR, 0.1),
        (conditions["visib"], "visibility, miles", colours.BAR, 10.0),
    ]

    def draw(figure: Figure) -> None:
        panels = figure.subplots(len(strips), 1, sharex=True, height_ratios=[1.6, 1, 1, 1])
        for axes, (values, title, colour, least) in zip(panels, strips, strict=True):
            axes.bar(values.index, values, width=0.82, color=colour)
            axes.set_ylim(0, max(least, values.max() * 1.1) if values.notna().any() else least)
            axes.set_title(title, fontweight="normal", pad=3)
            axes.locator_params(axis="y", nbins=3)
            axes.grid(axis="y")
            hours(axes)

    return drawn(draw, 5.0, "Share of anomalies by hour, with wind, precipitation and visibility of the same hour.")


def volume_history(before: DailyVolumes, date: datetime.date, flights: int, tolerance: float) -> Picture:
    """Flights of each day of the window, the same weekdays marked, and the day itself against the usual band."""
    daily = before.by_day()
    if daily.empty:
        return blank("No days before this one to compare with.")
    alike, usual = before.like(date).by_day(), before.like(date).usual()
    today: Any = pd.Timestamp(date)
    low, high = (1 - tolerance) * usual, (1 + tolerance) * usual

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        if not np.isnan(usual):
            axes.axhspan(low, high, color=colours.FAINT, linewidth=0)
            axes.set_title(
                f"usual for a {date:%A}: {number(usual)} flights, band of ±{percent(tolerance, 0)}",
                fontweight="normal",
                color=colours.MUTED,
            )
            axes.axhline(usual, color=colours.MUTED, linewidth=0.8, zorder=3)
        axes.bar(daily.index, daily, width=0.7, color=colours.QUIET)
        axes.bar(alike.index, alike, width=0.7, color=colours.BAR)
        inside = np.isnan(usual) or low <= flights <= high
        axes.bar([today], [flights], width=0.7, color=colours.INK if inside else colours.ALARM)
        axes.annotate(f"{flights:,}", (today, flights), xytext=(0, 3), textcoords="offset points",
                      ha="center", fontsize=9, fontweight="bold")  # fmt: skip
        days = [*alike.index, today]
        axes.set_xticks(days, [f"{day:%a} {day.day} {day:%b}" for day in days])
        axes.set_ylim(0, max(daily.max(), flights, high if high == high else 0) * 1.12)
        axes.set_ylabel("scheduled flights")

    return drawn(draw, 2.9, f"Flights per day: {flights} on the day, usually {number(usual)} on its weekday.")


def coverage(day: Departures, hourly: WeatherHours) -> Picture:
    """Which hours have flights, and which have weather, at each airport."""
    flights = day.table.groupby(["origin", "hour"]).size()
    present = set(hourly.present().itertuples(index=False, name=None))

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        left.set_title("scheduled flights in each hour")
        right.set_title("hours with weather; missing ones in red")
        for row, origin in enumerate(AIRPORTS):
            for hour in range(24):
                size = int(flights.get((origin, hour), 0))
                shade = min(size / 35, 1)
                _tile(left, hour, row, (0.173, 0.416, 0.6, 0.12 + 0.8 * shade) if size else colours.FAINT)
                if size:
                    left.text(
                        hour,
                        row,
                        f"{size}",
                        ha="center",
                        va="center",
                        fontsize=6.5,
                        color="white" if shade > 0.45 else colours.INK,
                    )
                _tile(right, hour, row, colours.BAR if (origin, hour) in present else colours.ALARM)
        for axes in (left, right):
            axes.set_xlim(-0.6, 23.6)
            axes.set_ylim(2.6, -0.6)
            axes.set_xticks(range(0, 24, 3), [f"{hour}:00" for hour in range(0, 24, 3)])
            axes.set_yticks(range(3), AIRPORTS.values(), color=colours.INK)
            axes.tick_params(length=0)
            for spine in axes.spines.values():
                spine.set_visible(False)

    return drawn(draw, 1.7, "Scheduled flights and weather readings for each hour and airport.")


def _tile(axes: Axes, column: int, row: int, colour: object) -> None:
    axes.bar(column, 0.88, width=0.9, bottom=row - 0.44, color=colour, linewidth=0)
