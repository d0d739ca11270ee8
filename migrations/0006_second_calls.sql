-- Transfers and listeners are called beside a call that is going on; each takes a channel of the same trunk, and gives
-- it back at the latest when the attempt ends, also after a crash.
ALTER TABLE attempts ADD COLUMN second_calls smallint NOT NULL DEFAULT 0 CHECK (second_calls >= 0);
