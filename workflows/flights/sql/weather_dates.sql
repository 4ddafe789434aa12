-- All days with weather, in order.
SELECT DISTINCT date FROM weather ORDER BY date
