-- The records of a deployment (D1). Idempotent: `npm start` applies it at every start.

-- Keys of users, and of tenants (user ''), for /v1 and /api; the key itself is not stored.
CREATE TABLE IF NOT EXISTS api_keys (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  tenant TEXT NOT NULL,
  user TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  created_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS api_keys_by_owner ON api_keys (tenant, user);

-- People who have records. Their number makes each one's messages a range of rowids, so that a search reads only those.
CREATE TABLE IF NOT EXISTS users (
  number INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  user TEXT NOT NULL,
  name TEXT NOT NULL, -- as a token told it last; '' where none has
  UNIQUE (tenant, user)
);

-- Messages and files of conversations, drained from the journals of the hubs.
CREATE TABLE IF NOT EXISTS messages (
  place INTEGER PRIMARY KEY, -- users.number << 32 | position
  tenant TEXT NOT NULL,
  user TEXT NOT NULL,
  id TEXT NOT NULL,
  conversation TEXT NOT NULL,
  position INTEGER NOT NULL, -- the seq with which it first appeared
  seq INTEGER NOT NULL,      -- of its last change
  text TEXT NOT NULL,        -- what is searched: its text, or the file's name
  row TEXT NOT NULL,         -- the rest as history gives it, JSON, without signed urls
  UNIQUE (tenant, user, id)
);
CREATE INDEX IF NOT EXISTS messages_by_place ON messages (tenant, user, conversation, position);

-- Full-text search over them. The triggers are all that ever writes it.
CREATE VIRTUAL TABLE IF NOT EXISTS messages_search USING fts5 (
  text, content = 'messages', content_rowid = 'place', tokenize = 'trigram'
);
CREATE TRIGGER IF NOT EXISTS messages_added AFTER INSERT ON messages BEGIN
  INSERT INTO messages_search (rowid, text) VALUES (new.place, new.text);
END;
CREATE TRIGGER IF NOT EXISTS messages_changed AFTER UPDATE OF text ON messages WHEN old.text IS NOT new.text BEGIN
  INSERT INTO messages_search (messages_search, rowid, text) VALUES ('delete', old.place, old.text);
  INSERT INTO messages_search (rowid, text) VALUES (new.place, new.text);
END;
CREATE TRIGGER IF NOT EXISTS messages_removed AFTER DELETE ON messages BEGIN
  INSERT INTO messages_search (messages_search, rowid, text) VALUES ('delete', old.place, old.text);
END;

CREATE TABLE IF NOT EXISTS conversations (
  tenant TEXT NOT NULL,
  user TEXT NOT NULL,
  id TEXT NOT NULL,
  name TEXT,                -- given by the user
  topic TEXT,               -- made from the first message
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL, -- of the newest message
  touched INTEGER NOT NULL, -- the seq of the newest message: the order of the list
  seq INTEGER NOT NULL,     -- of the last change that is in here
  PRIMARY KEY (tenant, user, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS conversations_by_age ON conversations (tenant, user, touched);

-- Deleted conversations: nothing that was in them when they were deleted comes back, however late it is written.
CREATE TABLE IF NOT EXISTS deletions (
  tenant TEXT NOT NULL,
  user TEXT NOT NULL,
  conversation TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (tenant, user, conversation)
) WITHOUT ROWID;

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

-- Tenants that had somebody here: written once for each.
CREATE TABLE IF NOT EXISTS known_tenants (
  tenant TEXT PRIMARY KEY
) WITHOUT ROWID;

-- How turns ended, for an hour.
CREATE TABLE IF NOT EXISTS turn_counts (
  tenant TEXT NOT NULL,
  minute INTEGER NOT NULL,  -- Unix minutes
  outcome TEXT NOT NULL,
  turns INTEGER NOT NULL,
  PRIMARY KEY (tenant, minute, outcome)
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

-- What users think of messages of theirs; a row goes with its message.
CREATE TABLE IF NOT EXISTS feedback (
  tenant TEXT NOT NULL,
  user TEXT NOT NULL,
  message TEXT NOT NULL,
  liked INTEGER NOT NULL DEFAULT 0,  -- 1 liked, 2 disliked
  copied INTEGER NOT NULL DEFAULT 0, -- 1 once it was copied
  comment TEXT NOT NULL DEFAULT '',
  at REAL NOT NULL,                  -- of its last change, Unix seconds
  PRIMARY KEY (tenant, user, message)
) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS messages_forgotten AFTER DELETE ON messages BEGIN
  DELETE FROM feedback WHERE tenant = old.tenant AND user = old.user AND message = old.id;
END;
