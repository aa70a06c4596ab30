-- Moments are microseconds since 1970. Hashes are of secrets that only the browser or the client
-- holds.

CREATE TABLE keys (
    id         TEXT PRIMARY KEY,
    use        TEXT NOT NULL,            -- token, receipt or opaque
    public     TEXT NOT NULL,            -- JWK; empty for opaque
    sealed     BYTEA NOT NULL,           -- the private half
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,          -- published before, so that others know it in time
    retires_at BIGINT                    -- no longer published from here on; NULL: not replaced yet
);

CREATE TABLE clients (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    secret_hash TEXT,                    -- NULL: a public client
    settings    TEXT NOT NULL,           -- JSON
    created_at  BIGINT NOT NULL
);

CREATE TABLE members (
    kind       TEXT NOT NULL,            -- email or domain
    value      TEXT NOT NULL,
    groups     TEXT NOT NULL,            -- JSON
    created_at BIGINT NOT NULL,
    PRIMARY KEY (kind, value)
);

CREATE TABLE users (
    id             TEXT PRIMARY KEY,
    email          TEXT NOT NULL UNIQUE,
    email_verified BOOLEAN NOT NULL,
    created_at     BIGINT NOT NULL,
    risk_score     BIGINT NOT NULL,      -- 0 to 100
    risk_level     TEXT NOT NULL,        -- LOW, MEDIUM or HIGH
    assurance      TEXT NOT NULL,        -- the acr of the last check; empty when it has run out
    flags          TEXT NOT NULL,        -- JSON: findings that raise the risk until cleared
    verified_at    BIGINT NOT NULL,      -- the last accepted check of the face
    document_at    BIGINT NOT NULL,      -- and of a document
    consent        TEXT NOT NULL,        -- version of the text that was agreed to
    decision_id    TEXT NOT NULL         -- the last accepted one
);

CREATE TABLE decisions (
    id             TEXT PRIMARY KEY,
    transaction_id TEXT NOT NULL,
    user_id        TEXT,                 -- NULL: nobody was known, or the user was deleted
    outcome        TEXT NOT NULL,
    purpose        TEXT NOT NULL,
    attack         BOOLEAN NOT NULL,     -- a presentation attack or an injected stream was seen
    digest         TEXT NOT NULL,        -- SHA-256 of the receipt
    receipt        TEXT NOT NULL,        -- JWS
    created_at     BIGINT NOT NULL
);
CREATE INDEX decisions_user ON decisions (user_id, created_at);

CREATE TABLE templates (
    user_id     TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    decision_id TEXT NOT NULL REFERENCES decisions (id),
    number      BIGINT NOT NULL UNIQUE,  -- grows; never used twice
    sealed      BYTEA NOT NULL,
    created_at  BIGINT NOT NULL
);

CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('template', 0);

CREATE TABLE devices (
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    browser_hash TEXT NOT NULL,
    first_seen   BIGINT NOT NULL,
    last_seen    BIGINT NOT NULL,
    PRIMARY KEY (user_id, browser_hash)
);

CREATE TABLE sessions (
    id           TEXT PRIMARY KEY,
    browser_hash TEXT NOT NULL,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    decision_id  TEXT NOT NULL REFERENCES decisions (id),
    amr          TEXT NOT NULL,          -- JSON
    auth_time    BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    revoked_at   BIGINT
);
CREATE INDEX sessions_browser ON sessions (browser_hash);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE transactions (
    id               TEXT PRIMARY KEY,
    client_id        TEXT NOT NULL,
    request          TEXT NOT NULL,      -- JSON: the authentication request
    browser_hash     TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    expires_at       BIGINT NOT NULL,
    state            TEXT NOT NULL,
    email            TEXT,
    email_verified   BOOLEAN NOT NULL,
    email_locked     BOOLEAN NOT NULL,
    purpose          TEXT NOT NULL,      -- enrol or verify
    document         BOOLEAN NOT NULL,   -- whether a document is asked for
    mailed           BOOLEAN NOT NULL,   -- whether a code confirmed the address in this transaction
    consent_version  TEXT,
    attempts         BIGINT NOT NULL,
    mails            BIGINT NOT NULL,
    nonce            BYTEA,              -- of the challenge that runs
    nonce_kinds      TEXT,               -- JSON
    nonce_issued_at  BIGINT,
    nonce_expires_at BIGINT,
    mail_code_hash   TEXT,
    mail_code_until  BIGINT,
    mail_code_tries  BIGINT NOT NULL,
    upstream         TEXT,               -- JSON: login at another provider
    last             TEXT,               -- JSON: how the last attempt ended
    session_id       TEXT REFERENCES sessions (id) ON DELETE CASCADE, -- set when it is accepted
    granted_acr      TEXT,
    code_hash        TEXT,
    code_until       BIGINT,
    redeemed_at      BIGINT
);
CREATE UNIQUE INDEX transactions_code ON transactions (code_hash);

-- Which relying parties know a user: they are told of changes.
CREATE TABLE logins (
    user_id   TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    last_at   BIGINT NOT NULL,
    PRIMARY KEY (user_id, client_id)
);

-- A picture that was judged once is not judged again.
CREATE TABLE inputs (
    hash       TEXT PRIMARY KEY,
    created_at BIGINT NOT NULL
);

-- Failed attempts of an email address, over all its transactions.
CREATE TABLE throttles (
    subject    TEXT PRIMARY KEY,
    failures   BIGINT NOT NULL,
    retry_at   BIGINT,
    updated_at BIGINT NOT NULL
);

CREATE TABLE access_tokens (
    id             TEXT PRIMARY KEY,
    transaction_id TEXT NOT NULL,
    client_id      TEXT NOT NULL,
    user_id        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id     TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    scopes         TEXT NOT NULL,        -- JSON
    expires_at     BIGINT NOT NULL
);
CREATE INDEX access_tokens_transaction ON access_tokens (transaction_id);

CREATE TABLE refresh_tokens (
    hash           TEXT PRIMARY KEY,
    transaction_id TEXT NOT NULL,        -- all tokens of one login are one family
    client_id      TEXT NOT NULL,
    user_id        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id     TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    scopes         TEXT NOT NULL,        -- JSON
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT
);
CREATE INDEX refresh_tokens_transaction ON refresh_tokens (transaction_id);

-- Receivers of security events, and what waits for them.
CREATE TABLE streams (
    id            TEXT PRIMARY KEY,
    client_id     TEXT NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
    url           TEXT,                  -- RFC 8935; NULL: the receiver polls, RFC 8936
    authorization_sealed BYTEA,          -- header of the push
    poll_hash     TEXT,
    created_at    BIGINT NOT NULL
);
CREATE TABLE events (
    jti        TEXT PRIMARY KEY,
    stream_id  TEXT NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
    body       TEXT NOT NULL,            -- the signed SET
    created_at BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    tries      BIGINT NOT NULL,
    fault      TEXT
);
CREATE INDEX events_next ON events (next_at);

CREATE TABLE admin_tokens (
    hash       TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    scopes     TEXT NOT NULL,            -- JSON
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE TABLE audit (
    id             TEXT PRIMARY KEY,     -- grows with time
    at             BIGINT NOT NULL,
    actor          TEXT NOT NULL,
    action         TEXT NOT NULL,
    subject        TEXT,
    transaction_id TEXT,
    detail         TEXT NOT NULL         -- JSON
);
