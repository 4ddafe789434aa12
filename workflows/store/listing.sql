-- The statements of the list of reports, for SQLite and PostgreSQL alike; each begins with its name.

-- name: add_report
-- The row of a report, in place of what was known of its path.
INSERT INTO reports (
    id, moment, asked, path, template, date, state, parameters, version, commit_id, dirty, started, seconds, person, reason,
    measures, words
) VALUES (
    :id, :moment, :asked, :path, :template, :date, :state, :parameters, :version, :commit, :dirty, :started, :seconds, :person,
    :reason, :measures, :words
)
ON CONFLICT (id) DO UPDATE SET
    moment = excluded.moment, asked = excluded.asked, path = excluded.path, template = excluded.template, date = excluded.date,
    state = excluded.state, parameters = excluded.parameters, version = excluded.version, commit_id = excluded.commit_id,
    dirty = excluded.dirty, started = excluded.started, seconds = excluded.seconds, person = excluded.person,
    reason = excluded.reason, measures = excluded.measures, words = excluded.words

-- name: add_term
INSERT INTO terms (id, kind, value, newest) VALUES (:id, :kind, :value, :newest)
ON CONFLICT (id) DO UPDATE SET newest = excluded.newest WHERE excluded.newest > terms.newest

-- name: add_posting
INSERT INTO postings (term, moment, report) VALUES (:term, :moment, :report) ON CONFLICT DO NOTHING

-- name: remove_posting
DELETE FROM postings WHERE term = :term AND moment = :moment AND report = :report

-- name: remove_report
DELETE FROM reports WHERE id = :id

-- name: report
SELECT moment, id, path, template, date, state, parameters, version, commit_id, dirty, started, seconds, person, reason, measures,
    words
FROM reports WHERE id = :id

-- name: listed
-- The :most newest reports up to a place (a moment and an id) that a term finds whose value is from :first to :last; of those
-- that not all the :others find, of which there are :number, the place only. No term that has more than :most needs to be looked
-- at beyond those: `reach` is how far the newest such goes.
WITH
chosen (id) AS (
    SELECT id FROM terms WHERE kind = :kind AND value BETWEEN :first AND :last
),
reach (moment) AS (
    SELECT MAX((
        SELECT moment FROM postings
        WHERE term = chosen.id AND moment <= :moment AND (moment < :moment OR report < :id)
        ORDER BY moment DESC, report DESC LIMIT 1 OFFSET :most
    )) FROM chosen
),
found (moment, id) AS (
    SELECT DISTINCT postings.moment, postings.report FROM chosen JOIN postings ON postings.term = chosen.id
    WHERE postings.moment <= :moment AND (postings.moment < :moment OR postings.report < :id)
        AND postings.moment >= COALESCE((SELECT moment FROM reach), 0)
    ORDER BY 1 DESC, 2 DESC LIMIT :most
)
SELECT found.moment, found.id, path, template, date, state, parameters, version, commit_id, dirty, started, seconds, person, reason,
    measures, words
FROM found LEFT JOIN reports ON reports.id = found.id AND :number = (
    SELECT COUNT(*) FROM postings
    WHERE term IN (:other0, :other1, :other2, :other3, :other4, :other5) AND moment = found.moment AND report = found.id
)
ORDER BY found.moment DESC, found.id DESC

-- name: reached
-- The terms whose values are from :first to :last: how many (counted to 20), one of them, and how far back their newest 5000, 500
-- and 50 reports go: nothing where there are fewer.
WITH chosen (id) AS (
    SELECT id FROM terms WHERE kind = :kind AND value BETWEEN :first AND :last LIMIT 20
)
SELECT COUNT(*), MIN(id),
    MAX((SELECT moment FROM postings WHERE term = chosen.id ORDER BY moment DESC, report DESC LIMIT 1 OFFSET 4999)),
    MAX((SELECT moment FROM postings WHERE term = chosen.id ORDER BY moment DESC, report DESC LIMIT 1 OFFSET 499)),
    MAX((SELECT moment FROM postings WHERE term = chosen.id ORDER BY moment DESC, report DESC LIMIT 1 OFFSET 49))
FROM chosen

-- name: values
-- The values of a kind from :first to :last that find a report.
SELECT value FROM terms
WHERE kind = :kind AND value BETWEEN :first AND :last AND EXISTS (SELECT 1 FROM postings WHERE term = terms.id)
ORDER BY value

-- name: newest_values
-- The values of a kind whose newest report is newest.
SELECT value FROM terms
WHERE kind = :kind AND EXISTS (SELECT 1 FROM postings WHERE term = terms.id)
ORDER BY newest DESC, id DESC LIMIT :most

-- name: latest
-- The reports of a template with values that were made up to a place in the list, newest first.
SELECT moment, id, path, template, date, state, parameters, version, commit_id, dirty, started, seconds, person, reason, measures,
    words
FROM reports
WHERE asked = :asked AND state = 'made' AND moment <= :moment AND (moment < :moment OR id < :id)
ORDER BY moment DESC, id DESC LIMIT :most

-- name: latest_of_date
-- The same of one date. (What is not equal does not lure SQLite to the index of the latest of all dates.)
SELECT moment, id, path, template, date, state, parameters, version, commit_id, dirty, started, seconds, person, reason, measures,
    words
FROM reports
WHERE asked = :asked AND date = :date AND state <> 'failed' AND moment <= :moment AND (moment < :moment OR id < :id)
ORDER BY moment DESC, id DESC LIMIT :most

-- name: of_date
-- The reports of a template of one date, newest first; before all others those with the values that :asked stands for.
SELECT moment, id, path, template, date, state, parameters, version, commit_id, dirty, started, seconds, person, reason, measures,
    words
FROM reports WHERE template = :template AND date = :date
ORDER BY CASE WHEN asked = :asked THEN 0 ELSE 1 END, moment DESC, id DESC

-- name: calendar
-- Of each date from :first to :last the newest report of a template, where there is one with the values that :asked stands for.
WITH RECURSIVE days (date) AS (
    SELECT MIN(date) FROM reports WHERE template = :template AND date >= :first AND date <= :last
    UNION ALL
    SELECT (
        SELECT MIN(reports.date) FROM reports
        WHERE reports.template = :template AND reports.date > days.date AND reports.date <= :last
    ) FROM days WHERE days.date IS NOT NULL
)
SELECT moment, id, path, template, reports.date, state, parameters, version, commit_id, dirty, started, seconds, person, reason,
    measures, words
FROM days JOIN reports ON reports.id = COALESCE(
    (SELECT id FROM reports AS r WHERE r.asked = :asked AND r.date = days.date ORDER BY moment DESC, id DESC LIMIT 1),
    (SELECT id FROM reports AS r WHERE r.template = :template AND r.date = days.date ORDER BY moment DESC, id DESC LIMIT 1)
)
WHERE days.date IS NOT NULL

-- name: series
-- Of each date the newest report that was made of a template with values.
WITH RECURSIVE days (date) AS (
    SELECT MIN(date) FROM reports WHERE asked = :asked
    UNION ALL
    SELECT (SELECT MIN(reports.date) FROM reports WHERE reports.asked = :asked AND reports.date > days.date)
    FROM days WHERE days.date IS NOT NULL
)
SELECT moment, id, path, template, reports.date, state, parameters, version, commit_id, dirty, started, seconds, person, reason,
    measures, words
FROM days JOIN reports ON reports.id = (
    SELECT id FROM reports AS r
    WHERE r.asked = :asked AND r.date = days.date AND r.state <> 'failed' ORDER BY moment DESC, id DESC LIMIT 1
)
WHERE days.date IS NOT NULL
ORDER BY reports.date
