-- The catalog's tables, for SQLite and PostgreSQL alike. Everything in them is in the store's provenance records too.

-- Of which format this catalog is, whether it was filled from the whole store, and which store that is: its location, and, for a
-- file, how it is reached from the catalog's folder. Catalogs that were made before lack these two until they are written.
CREATE TABLE about (
    format INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    store TEXT,
    beside TEXT
);

-- One row for each artefact: its place in the store, and what its record says. `id` stands for the version: the 64 bits that
-- its folder's name shows, as a signed integer.
CREATE TABLE artefacts (
    path TEXT PRIMARY KEY,
    task TEXT NOT NULL,
    date TEXT NOT NULL,
    template TEXT,
    version TEXT NOT NULL,
    id BIGINT NOT NULL,
    commit_id TEXT,
    dirty INTEGER NOT NULL,
    code TEXT,
    started TEXT NOT NULL,
    seconds REAL,
    host TEXT,
    username TEXT,
    reused_from TEXT,
    rows BIGINT,
    fingerprint TEXT,
    parameters TEXT NOT NULL
);
CREATE INDEX artefacts_version ON artefacts (version);
CREATE INDEX artefacts_id ON artefacts (id, template);
CREATE INDEX artefacts_commit ON artefacts (commit_id);
CREATE INDEX artefacts_task ON artefacts (task, date);

-- What each result was made from, in order. Position -1 is the result whose bytes it took over, where it did.
CREATE TABLE inputs (
    id BIGINT NOT NULL,
    position INTEGER NOT NULL,
    task TEXT NOT NULL,
    date TEXT NOT NULL,
    input BIGINT NOT NULL,
    PRIMARY KEY (id, position)
);
CREATE INDEX inputs_input ON inputs (input, id, position);
CREATE INDEX inputs_task ON inputs (task, date, input);
