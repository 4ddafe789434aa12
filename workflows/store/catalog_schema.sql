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

-- One row for each report, made or failed. `id` stands for the path, `asked` for the template and its values, `moment` is
-- `started` in microseconds since 1970. `measures` is JSON: [name, value, unit, better] of each; `words` are what a search finds.
CREATE TABLE reports (
    id BIGINT PRIMARY KEY,
    moment BIGINT NOT NULL,
    asked BIGINT NOT NULL,
    path TEXT NOT NULL,
    template TEXT NOT NULL,
    date TEXT NOT NULL,
    state TEXT NOT NULL,
    parameters TEXT NOT NULL,
    version TEXT NOT NULL,
    commit_id TEXT,
    dirty INTEGER NOT NULL,
    started TEXT NOT NULL,
    seconds REAL NOT NULL,
    person TEXT NOT NULL,
    reason TEXT,
    measures TEXT NOT NULL,
    words TEXT NOT NULL
);
CREATE INDEX reports_asked ON reports (asked, date, moment, id, state);
CREATE INDEX reports_latest ON reports (asked, state, moment, id);
CREATE INDEX reports_day ON reports (template, date, moment, id);

-- What reports are found by: templates, dates, commits and so on, and the beginnings of words. The bytes of a value sort alike
-- in every database. `id` stands for kind and value; `newest` is the moment of the newest report, kept for commits only.
CREATE TABLE terms (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    value BYTEA NOT NULL,
    newest BIGINT NOT NULL
);
CREATE INDEX terms_value ON terms (kind, value, id);
CREATE INDEX terms_newest ON terms (kind, newest, id);

-- Which reports each term finds, in the order of the list.
CREATE TABLE postings (
    term BIGINT NOT NULL,
    moment BIGINT NOT NULL,
    report BIGINT NOT NULL,
    PRIMARY KEY (term, moment, report)
) WITHOUT ROWID;
