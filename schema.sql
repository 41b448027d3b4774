-- The records of a deployment (D1). Idempotent: `npm start` applies it at every start.

-- Keys of users for /v1 and /api; the key itself is not stored.
CREATE TABLE IF NOT EXISTS api_keys (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  tenant TEXT NOT NULL,
  user TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  created_at REAL NOT NULL
) WITHOUT ROWID;

-- Messages and files of conversations, drained from the journals of the hubs.
CREATE TABLE IF NOT EXISTS messages (
  tenant TEXT NOT NULL,
  user TEXT NOT NULL,
  id TEXT NOT NULL,
  conversation TEXT NOT NULL,
  position INTEGER NOT NULL, -- the seq with which it first appeared: its place
  seq INTEGER NOT NULL,      -- of its last change
  row TEXT NOT NULL,         -- as history gives it, JSON, without signed urls
  PRIMARY KEY (tenant, user, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS messages_by_place ON messages (tenant, user, conversation, position);

-- Upstreams of tenants; a tenant without a row has that of the variables.
CREATE TABLE IF NOT EXISTS tenants (
  tenant TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL, -- grows with every change: a change made meanwhile is not written over
  mode TEXT NOT NULL,
  url TEXT,
  model TEXT,
  models TEXT NOT NULL,      -- JSON: [{id, upstream?}]
  api_key TEXT,              -- sealed
  webhook_secrets TEXT,      -- JSON: [secret], sealed
  updated_at REAL NOT NULL
) WITHOUT ROWID;

-- Files of users, theirs and their upstream's; the bytes are in R2.
CREATE TABLE IF NOT EXISTS files (
  tenant TEXT NOT NULL,
  user TEXT NOT NULL,
  id TEXT NOT NULL,
  filename TEXT NOT NULL,
  mimetype TEXT NOT NULL,
  size INTEGER NOT NULL,
  uploaded INTEGER NOT NULL, -- 1: by the user, 0: sent by the upstream
  created_at REAL NOT NULL,
  orphan_at REAL,            -- Unix seconds when it goes; NULL: a recorded message keeps it; 0: it is being deleted
  PRIMARY KEY (tenant, user, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_to_go ON files (orphan_at) WHERE orphan_at IS NOT NULL;

-- In which conversations a file is used: it goes with the last of them.
CREATE TABLE IF NOT EXISTS file_uses (
  tenant TEXT NOT NULL,
  user TEXT NOT NULL,
  conversation TEXT NOT NULL,
  file TEXT NOT NULL,
  at REAL NOT NULL, -- Unix seconds of the newest message that names it
  PRIMARY KEY (tenant, user, conversation, file)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS file_uses_by_file ON file_uses (tenant, user, file);

-- Bytes that a user has uploaded on the day (UTC, counted from 1970) of the last upload.
CREATE TABLE IF NOT EXISTS upload_days (
  tenant TEXT NOT NULL,
  user TEXT NOT NULL,
  day INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (tenant, user)
) WITHOUT ROWID;
