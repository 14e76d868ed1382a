-- One row an exchange: an attempt to get an answer from a vendor, whatever came of it.
CREATE TABLE exchanges (
    -- Never used again, even if the last row is removed: the text index goes by it.
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Unix time in milliseconds when it began.
    at_ms              INTEGER NOT NULL,
    -- Ties the attempts of one request together.
    request_id         TEXT    NOT NULL,
    conversation_id    TEXT,
    model              TEXT    NOT NULL,
    provider           TEXT    NOT NULL,
    plugin             TEXT    NOT NULL,
    plugin_digest      TEXT    NOT NULL,
    route              TEXT,
    vendor_model       TEXT,
    vendor_id          TEXT,
    -- From 1 within the request; 0 for an answer from the cache.
    attempt            INTEGER NOT NULL,
    -- The last attempt of its request.
    final              INTEGER NOT NULL,
    streamed           INTEGER NOT NULL,
    -- success, error or cancelled.
    outcome            TEXT    NOT NULL,
    finish_reason      TEXT,
    error_kind         TEXT,
    error_message      TEXT,
    status             INTEGER,
    prompt_tokens      INTEGER,
    completion_tokens  INTEGER,
    total_tokens       INTEGER,
    cached_tokens      INTEGER,
    cache_write_tokens INTEGER,
    reasoning_tokens   INTEGER,
    -- US dollars, a decimal as text: never a binary fraction.
    cost               TEXT,
    latency_ms         REAL    NOT NULL,
    ttft_ms            REAL,
    cached             INTEGER NOT NULL DEFAULT 0,
    -- What was said, where the configuration allows it.
    prompt             TEXT,
    answer             TEXT
);

CREATE INDEX exchanges_at ON exchanges (at_ms);
CREATE INDEX exchanges_model ON exchanges (model, at_ms);
CREATE INDEX exchanges_request ON exchanges (request_id);

-- Substrings of three letters and more, in any script. Indexing a text costs many times what
-- writing its row does, so rows come in later: see text_index.
CREATE VIRTUAL TABLE exchanges_text USING fts5 (
    prompt, answer, content = 'exchanges', content_rowid = 'id', tokenize = 'trigram'
);

-- The rows up to this one are in the index.
CREATE TABLE text_index (upto INTEGER NOT NULL);
INSERT INTO text_index (upto) VALUES (0);

CREATE TRIGGER exchanges_text_delete AFTER DELETE ON exchanges
WHEN (old.prompt IS NOT NULL OR old.answer IS NOT NULL)
    AND old.id <= (SELECT upto FROM text_index) BEGIN
    INSERT INTO exchanges_text (exchanges_text, rowid, prompt, answer)
    VALUES ('delete', old.id, old.prompt, old.answer);
END;

-- Conversations of the command `chat`, stored whole after each turn.
CREATE TABLE conversations (
    id         TEXT    PRIMARY KEY,
    title      TEXT    NOT NULL,
    model      TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    -- The messages as JSON.
    messages   TEXT    NOT NULL
);

CREATE INDEX conversations_updated ON conversations (updated_ms);
