-- The statements of the accounts' database; each begins with its name. Times are seconds since 1970, UTC.

-- name: accounts_table
CREATE TABLE accounts (name TEXT PRIMARY KEY COLLATE NOCASE, role TEXT NOT NULL, hash TEXT NOT NULL, made REAL NOT NULL)

-- name: sessions_table
-- Who is signed in: the digest of what their browser holds, which is of no use to who reads this.
CREATE TABLE sessions (token TEXT PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, made REAL NOT NULL, seen REAL NOT NULL)

-- name: tries_table
-- Sign-ins that were tried and did not succeed, by name and by address.
CREATE TABLE tries (about TEXT NOT NULL, at REAL NOT NULL)

-- name: tries_index
CREATE INDEX tries_about ON tries (about, at)

-- name: accounts
SELECT name, role, made FROM accounts ORDER BY name

-- name: account
SELECT name, role, hash FROM accounts WHERE name = :name

-- name: add_account
INSERT INTO accounts (name, role, hash, made) VALUES (:name, :role, :hash, :now) ON CONFLICT DO NOTHING RETURNING name

-- name: set_role
UPDATE accounts SET role = :role WHERE name = :name RETURNING name

-- name: set_hash
UPDATE accounts SET hash = :hash WHERE name = :name RETURNING name

-- name: remove_account
DELETE FROM accounts WHERE name = :name RETURNING name

-- name: add_session
INSERT INTO sessions (token, name, made, seen) VALUES (:token, :name, :now, :now)

-- name: session
-- Whose session it is, unless it is too old, or was not used for too long.
SELECT accounts.name, accounts.role, sessions.seen FROM sessions JOIN accounts USING (name)
WHERE token = :token AND sessions.made > :made_after AND sessions.seen > :seen_after

-- name: seen
UPDATE sessions SET seen = :now WHERE token = :token

-- name: end_session
DELETE FROM sessions WHERE token = :token

-- name: end_sessions
DELETE FROM sessions WHERE name = :name

-- name: end_old_sessions
DELETE FROM sessions WHERE made <= :made_after OR seen <= :seen_after

-- name: count_tries
SELECT count(*), min(at) FROM tries WHERE about = :about AND at > :after

-- name: add_try
INSERT INTO tries (about, at) VALUES (:about, :now)

-- name: forget_tries
DELETE FROM tries WHERE about = :about

-- name: forget_try
-- The last one, which succeeded.
DELETE FROM tries WHERE rowid = (SELECT max(rowid) FROM tries WHERE about = :about)

-- name: forget_old_tries
DELETE FROM tries WHERE at <= :after
