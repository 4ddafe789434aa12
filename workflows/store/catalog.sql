-- The statements of the catalog, for SQLite and PostgreSQL alike; each begins with its name.

-- name: begin
-- A new catalog's one row about itself.
INSERT INTO about (format, complete, store, beside) VALUES (:format, :complete, :store, :beside)

-- name: about
-- The format, whether it is complete and, except in a catalog of before, the store's location twice.
SELECT * FROM about

-- name: add_store
ALTER TABLE about ADD COLUMN store TEXT

-- name: add_beside
ALTER TABLE about ADD COLUMN beside TEXT

-- name: belongs
UPDATE about SET store = :store, beside = :beside

-- name: completed
UPDATE about SET complete = 1

-- name: add_artefact
-- The row of an artefact, in place of what was known of its path.
INSERT INTO artefacts (
    path, task, date, template, version, id, commit_id, dirty, code, started, seconds, host, username, reused_from, rows,
    fingerprint, parameters
) VALUES (
    :path, :task, :date, :template, :version, :id, :commit_id, :dirty, :code, :started, :seconds, :host, :username,
    :reused_from, :rows, :fingerprint, :parameters
)
ON CONFLICT (path) DO UPDATE SET
    task = excluded.task, date = excluded.date, template = excluded.template, version = excluded.version,
    id = excluded.id, commit_id = excluded.commit_id, dirty = excluded.dirty, code = excluded.code, started = excluded.started,
    seconds = excluded.seconds, host = excluded.host, username = excluded.username, reused_from = excluded.reused_from,
    rows = excluded.rows, fingerprint = excluded.fingerprint, parameters = excluded.parameters

-- name: add_input
INSERT INTO inputs (id, position, task, date, input) VALUES (:id, :position, :task, :date, :input)
ON CONFLICT (id, position) DO UPDATE SET task = excluded.task, date = excluded.date, input = excluded.input

-- name: commits
-- The commits from :first up to, not including, :after.
SELECT DISTINCT commit_id FROM artefacts WHERE commit_id >= :first AND commit_id < :after ORDER BY commit_id LIMIT 5

-- name: versions
-- The versions from :first up to, not including, :after.
SELECT DISTINCT version, task, date FROM artefacts WHERE version >= :first AND version < :after ORDER BY version LIMIT 5

-- name: gone
-- The results from :first to :last that only others name.
SELECT DISTINCT input, task, date FROM inputs
WHERE input BETWEEN :first AND :last AND NOT EXISTS (SELECT 1 FROM artefacts WHERE artefacts.id = inputs.input)
ORDER BY input LIMIT 5

-- name: has_task
SELECT 1 WHERE EXISTS (SELECT 1 FROM artefacts WHERE task = :task) OR EXISTS (SELECT 1 FROM inputs WHERE task = :task)

-- name: tables
-- The queries and stages. Position -1 may be a report, of which there is a row.
SELECT task FROM artefacts WHERE template IS NULL UNION SELECT task FROM inputs WHERE position >= 0 ORDER BY task

-- name: users
-- What used a commit, a task (of a date) or a version; exactly one of the three is given. What was made at the commit used
-- it; a task or version is not listed as its own user. `taken` is 1 for what used it only by taking over the bytes of
-- something that did. With :reports, reports only.
WITH RECURSIVE
beginnings (id) AS (
    SELECT id FROM artefacts WHERE commit_id = CAST(:commit_id AS TEXT)
    UNION
    SELECT id FROM artefacts
    WHERE task = CAST(:task AS TEXT) AND (CAST(:date AS TEXT) IS NULL OR date = CAST(:date AS TEXT))
    UNION
    SELECT input FROM inputs
    WHERE task = CAST(:task AS TEXT) AND (CAST(:date AS TEXT) IS NULL OR date = CAST(:date AS TEXT))
    UNION
    SELECT CAST(:id AS BIGINT) WHERE CAST(:id AS BIGINT) IS NOT NULL
),
used (id, taken) AS (
    SELECT id, 0 FROM beginnings
    UNION
    SELECT inputs.id, CASE WHEN inputs.position < 0 THEN 1 ELSE used.taken END
    FROM used JOIN inputs ON inputs.input = used.id
),
users (id, taken) AS (
    SELECT id, MIN(taken) FROM used GROUP BY id
)
SELECT artefacts.path, artefacts.task, artefacts.date, artefacts.template, artefacts.version, artefacts.commit_id,
    artefacts.dirty, artefacts.started, artefacts.reused_from, users.taken
FROM users JOIN artefacts ON artefacts.id = users.id
WHERE (:reports = 0 OR artefacts.template IS NOT NULL)
    AND (CAST(:commit_id AS TEXT) IS NOT NULL OR users.id NOT IN (SELECT id FROM beginnings))
ORDER BY artefacts.started DESC, artefacts.path
