-- The statements of the requests' database; each begins with its name.

-- name: requests_table
-- One row for each request: what was asked for, by whom, and how it stands.
CREATE TABLE IF NOT EXISTS requests (
    id TEXT PRIMARY KEY,
    batch TEXT NOT NULL,
    position INTEGER NOT NULL,
    key TEXT NOT NULL,
    template TEXT NOT NULL,
    date TEXT NOT NULL,
    parameters TEXT NOT NULL,
    how TEXT NOT NULL CHECK (how IN ('now', 'then')),
    of TEXT NOT NULL,
    person TEXT NOT NULL,
    asked TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'made', 'failed', 'cancelled')),
    began TEXT,
    ended TEXT,
    tries INTEGER NOT NULL,
    message TEXT NOT NULL,
    report TEXT,
    cancelled_by TEXT
) WITHOUT ROWID

-- name: askings_table
-- Which batch a person's asking became.
CREATE TABLE IF NOT EXISTS askings (
    person TEXT NOT NULL,
    key TEXT NOT NULL,
    batch TEXT NOT NULL,
    PRIMARY KEY (person, key)
) WITHOUT ROWID

-- name: by_turn
CREATE INDEX IF NOT EXISTS by_turn ON requests (state, position, id)

-- name: by_state
CREATE INDEX IF NOT EXISTS by_state ON requests (state, id)

-- name: by_person
CREATE INDEX IF NOT EXISTS by_person ON requests (person, id)

-- name: by_template
CREATE INDEX IF NOT EXISTS by_template ON requests (template, date, id)

-- name: by_batch
CREATE INDEX IF NOT EXISTS by_batch ON requests (batch, position)

-- name: by_report
CREATE INDEX IF NOT EXISTS by_report ON requests (report, id) WHERE report IS NOT NULL

-- name: add
INSERT INTO requests VALUES (
    :id, :batch, :position, :key, :template, :date, :parameters, :how, :of, :person, :asked, :state, :began, :ended, :tries,
    :message, :report, :cancelled_by
)

-- name: add_asking
INSERT INTO askings (person, key, batch) VALUES (:person, :key, :batch)

-- name: asked
-- The batch that an asking became.
SELECT batch FROM askings WHERE person = :person AND key = :key

-- name: get
SELECT * FROM requests WHERE id = :id

-- name: batch
SELECT * FROM requests WHERE batch = :batch ORDER BY position

-- name: list
-- The newest first; what is NULL does not restrict.
SELECT * FROM requests
WHERE id < :before
    AND (:states IS NULL OR state IN (SELECT value FROM json_each(:states)))
    AND (:person IS NULL OR person = :person)
    AND (:template IS NULL OR template = :template)
    AND (:date IS NULL OR date = :date)
ORDER BY id DESC LIMIT :limit

-- name: open
-- Those that came to no end, newest first: few, however many there were.
SELECT * FROM requests
WHERE state IN ('waiting', 'running') AND id < :before
    AND state IN (SELECT value FROM json_each(:states))
    AND (:person IS NULL OR person = :person)
    AND (:template IS NULL OR template = :template)
    AND (:date IS NULL OR date = :date)
ORDER BY id DESC LIMIT :limit

-- name: counts
SELECT state, COUNT(*) FROM requests GROUP BY state

-- name: of_report
SELECT * FROM requests WHERE report = :report ORDER BY id DESC LIMIT 1

-- name: next
-- Whose turn it is: what waits, by its place in its batch, so that a large one keeps nobody from being served.
SELECT * FROM requests WHERE state = 'waiting' ORDER BY position, id LIMIT :limit

-- name: begin
-- Count a try of one that waits.
UPDATE requests SET state = 'running', began = :now, tries = tries + 1, message = ''
WHERE id = :id AND state = 'waiting' RETURNING *

-- name: say
-- What a try has to say meanwhile.
UPDATE requests SET message = :message WHERE id = :id AND state = 'running' AND tries = :tries RETURNING *

-- name: finish
-- The end of a try. An end is never left, and no try ends another one.
UPDATE requests SET state = :state, ended = :now, message = :message, report = :report
WHERE id = :id AND state = 'running' AND tries = :tries RETURNING *

-- name: release
-- Have one that was begun, and that nobody wants to end, wait again; a try that is not to count is taken back.
UPDATE requests SET state = 'waiting', message = :message, tries = tries - :uncounted
WHERE id = :id AND state = 'running' AND tries = :tries AND cancelled_by IS NULL RETURNING *

-- name: cancel
-- One that waits ends at once; one that runs is ended by its worker.
UPDATE requests SET
    cancelled_by = COALESCE(cancelled_by, :person),
    ended = CASE state WHEN 'waiting' THEN :now END,
    message = CASE state WHEN 'waiting' THEN :message ELSE message END,
    state = CASE state WHEN 'waiting' THEN 'cancelled' ELSE state END
WHERE id = :id AND state IN ('waiting', 'running') RETURNING *

-- name: running
SELECT * FROM requests WHERE state = 'running' ORDER BY id
