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

-- Which conversation a user of a Konstruct portal has with which agent.
CREATE TABLE IF NOT EXISTS portal_conversations (
  id TEXT PRIMARY KEY, -- a UUID, the conversation's id
  tenant TEXT NOT NULL,
  agent TEXT NOT NULL,
  user TEXT NOT NULL,
  created_at REAL NOT NULL,
  UNIQUE (tenant, agent, user)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS portal_conversations_by_user ON portal_conversations (tenant, user);
