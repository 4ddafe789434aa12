-- Flights of one day: every flight that was to leave EWR, JFK or LGA, with names of airline and airports and the plane.
-- Cancelled flights are included; their departure and arrival are NULL. One row per carrier, flight number and origin.
SELECT
    flights.date,
    flights.carrier,
    flights.flight,
    flights.origin,
    flights.dest,
    airlines.name AS airline,
    origins.name AS origin_name,
    dests.name AS dest_name,                     -- NULL for four airports of the Caribbean
    flights.tailnum,
    planes.year AS plane_year,                   -- NULL where the plane is not in the register
    planes.manufacturer AS manufacturer,
    planes.model AS model,
    planes.seats AS seats,
    flights.sched_dep_time,
    flights.sched_dep_time / 100 AS hour,        -- local hour of the scheduled departure
    flights.sched_dep_time % 100 AS minute,
    flights.time_hour,
    flights.dep_time,
    flights.dep_delay,
    flights.sched_arr_time,
    flights.arr_time,
    flights.arr_delay,
    flights.air_time,
    flights.distance
FROM flights
JOIN airlines ON airlines.carrier = flights.carrier
JOIN airports AS origins ON origins.faa = flights.origin
LEFT JOIN airports AS dests ON dests.faa = flights.dest
LEFT JOIN planes ON planes.tailnum = flights.tailnum
WHERE flights.date = :date
ORDER BY flights.sched_dep_time, flights.origin, flights.carrier, flights.flight
