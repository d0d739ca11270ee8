-- A second call goes out over a trunk that takes its number, which need not be the one of the call that it stands beside:
-- each takes a channel of the trunk that is named here, and gives it back at the latest when the attempt ends.
ALTER TABLE attempts ADD COLUMN second_trunks text[] NOT NULL DEFAULT '{}';
UPDATE attempts SET second_trunks = array_fill(trunk, ARRAY[second_calls::int]) WHERE second_calls > 0;
ALTER TABLE attempts DROP COLUMN second_calls;
