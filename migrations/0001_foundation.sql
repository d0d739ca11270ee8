-- The records of the main job. High-volume tables are partitioned by month over their UUIDv7 ids, whose first
-- 48 bits are the time: the primary key stays one column, and a look-up by id touches one partition.

CREATE TABLE users (
  id uuid PRIMARY KEY,
  name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
  password_hash text NOT NULL,
  role text NOT NULL CHECK (role IN ('admin', 'operator', 'viewer')),
  language text NOT NULL DEFAULT 'zh' CHECK (language IN ('zh', 'en')),
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
  token_hash bytea PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL
);

CREATE TABLE contacts (
  id uuid PRIMARY KEY,
  phone text NOT NULL UNIQUE CHECK (phone ~ '^\+[0-9]{3,18}$'),
  name text NOT NULL DEFAULT '',
  attributes jsonb NOT NULL DEFAULT '{}',
  time_zone text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE imports (
  id uuid PRIMARY KEY,
  file_name text NOT NULL,
  campaign_id uuid,
  rows integer NOT NULL,
  imported integer NOT NULL,
  merged integer NOT NULL,
  rejected integer NOT NULL,
  encoding text NOT NULL,
  duration_ms integer NOT NULL,
  rejected_file text,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE scripts (
  id uuid PRIMARY KEY,
  key text NOT NULL UNIQUE,
  name text NOT NULL,
  language text NOT NULL,
  draft jsonb NOT NULL,
  published_version integer,
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE script_versions (
  script_id uuid NOT NULL REFERENCES scripts ON DELETE CASCADE,
  version integer NOT NULL,
  document jsonb NOT NULL,
  published_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (script_id, version)
);

CREATE TABLE campaigns (
  id uuid PRIMARY KEY,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  state text NOT NULL CHECK (state IN ('draft', 'running', 'paused', 'finished', 'cancelled')),
  script_id uuid NOT NULL REFERENCES scripts,
  script_version integer NOT NULL,
  settings jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz
);

CREATE TABLE leads (
  id uuid PRIMARY KEY,
  campaign_id uuid NOT NULL REFERENCES campaigns ON DELETE CASCADE,
  contact_id uuid NOT NULL REFERENCES contacts,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'dialing', 'waiting', 'done')),
  attempt_count integer NOT NULL DEFAULT 0,
  next_attempt_at timestamptz,
  reason text NOT NULL DEFAULT 'due',
  last_outcome text,
  grade text,
  retries jsonb NOT NULL DEFAULT '{}',
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (campaign_id, contact_id)
);
CREATE INDEX leads_due ON leads (campaign_id, next_attempt_at, id) WHERE state IN ('pending', 'waiting');
CREATE INDEX leads_by_contact ON leads (contact_id);

-- A dialer node renews its row; a campaign belongs to the node whose lease has not run out.
CREATE TABLE nodes (
  id uuid PRIMARY KEY,
  started_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE campaign_leases (
  campaign_id uuid PRIMARY KEY REFERENCES campaigns ON DELETE CASCADE,
  node_id uuid NOT NULL,
  expires_at timestamptz NOT NULL
);

CREATE TABLE attempts (
  id uuid NOT NULL,
  campaign_id uuid,
  lead_id uuid,
  contact_id uuid,
  number integer NOT NULL,
  phone text NOT NULL,
  caller_number text NOT NULL,
  trunk text NOT NULL,
  node_id uuid NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'ended')),
  outcome text,
  created_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX attempts_by_lead ON attempts (lead_id, id);
CREATE INDEX attempts_open ON attempts (node_id) WHERE state = 'open';
CREATE INDEX attempts_by_phone ON attempts (phone, id);

CREATE TABLE calls (
  id uuid NOT NULL,
  campaign_id uuid,
  lead_id uuid,
  contact_id uuid,
  phone text NOT NULL,
  name text NOT NULL DEFAULT '',
  outcome text NOT NULL,
  confidence real NOT NULL,
  grade text NOT NULL,
  grade_reason text NOT NULL,
  tags text[] NOT NULL DEFAULT '{}',
  slots jsonb NOT NULL DEFAULT '{}',
  evidence jsonb NOT NULL DEFAULT '[]',
  opted_out boolean NOT NULL DEFAULT false,
  call_back_at timestamptz,
  hangup_by text NOT NULL,
  sip_status integer,
  sip_reason text,
  dialed_at timestamptz NOT NULL,
  ended_at timestamptz NOT NULL,
  ring_ms integer,
  answered_ms integer,
  talk_ms integer NOT NULL,
  dialog jsonb,
  recording jsonb,
  media jsonb,
  voice_to_voice_ms integer[],
  PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX calls_by_campaign ON calls (campaign_id, id);
CREATE INDEX calls_by_lead ON calls (lead_id, id);

CREATE TABLE turns (
  call_id uuid NOT NULL,
  index integer NOT NULL,
  speaker text NOT NULL,
  start_ms integer NOT NULL,
  end_ms integer NOT NULL,
  text text NOT NULL,
  interrupted boolean NOT NULL,
  node text,
  intent text,
  latency jsonb,
  PRIMARY KEY (call_id, index)
) PARTITION BY RANGE (call_id);

CREATE TABLE call_events (
  call_id uuid NOT NULL,
  index integer NOT NULL,
  at_ms integer NOT NULL,
  type text NOT NULL,
  detail jsonb NOT NULL,
  PRIMARY KEY (call_id, index)
) PARTITION BY RANGE (call_id);

CREATE TABLE suppressions (
  id uuid PRIMARY KEY,
  phone text NOT NULL UNIQUE,
  source text NOT NULL CHECK (source IN ('call', 'manual', 'import')),
  note text NOT NULL DEFAULT '',
  attempt_id uuid,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Append-only; each row's hash covers the row before it.
CREATE TABLE audit (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  actor text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  detail jsonb NOT NULL DEFAULT '{}',
  hash bytea NOT NULL
);

-- Events for other systems, written in the transaction of the fact.
CREATE TABLE outbox (
  id uuid PRIMARY KEY,
  topic text NOT NULL,
  payload jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  delivered_at timestamptz
);

CREATE TABLE settings (
  key text PRIMARY KEY,
  value jsonb NOT NULL
);
