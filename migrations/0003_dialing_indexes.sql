-- Dialing takes waiting leads before fresh ones, each in the order of their due time, so the state leads the index.
DROP INDEX leads_due;
CREATE INDEX leads_turn ON leads (campaign_id, state, next_attempt_at, id) WHERE state IN ('pending', 'waiting');
ALTER TABLE leads ALTER COLUMN next_attempt_at SET DEFAULT now();

-- The counts of a campaign come from this index alone.
CREATE INDEX leads_tally ON leads (campaign_id, state, reason, last_outcome, grade) INCLUDE (attempt_count);

-- The cursor of a lead list.
CREATE INDEX leads_by_campaign ON leads (campaign_id, id);

-- A list of all calls of one number, newest first.
CREATE INDEX calls_by_phone ON calls (phone, id);
