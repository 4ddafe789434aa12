-- All days with flights, in order.
SELECT DISTINCT date FROM flights ORDER BY date
