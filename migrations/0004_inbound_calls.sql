-- People call back the number that called them. Such a call has its row in attempts, open while it lasts, so that it
-- takes a channel of its trunk and is settled after a crash like a dial, and its record in calls. `phone` is then the
-- caller, '' where the caller did not show one, and `caller_number` our number that was called.
ALTER TABLE attempts ADD COLUMN direction text NOT NULL DEFAULT 'outbound'
  CHECK (direction IN ('outbound', 'inbound'));
ALTER TABLE calls ADD COLUMN direction text NOT NULL DEFAULT 'outbound'
  CHECK (direction IN ('outbound', 'inbound'));
CREATE INDEX calls_inbound ON calls (id) WHERE direction = 'inbound';
