-- Weather of one day at the airports of New York: one reading an hour where there is one. Hours are missing on some
-- days, and 2013-12-31 has none at all.
SELECT date, origin, hour, time_hour, temp, dewp, humid, wind_dir, wind_speed, wind_gust, precip, pressure, visib
FROM weather
WHERE date = :date
ORDER BY time_hour, origin
