-- A dial that its trunk does not take goes on over another one of the group, within the same attempt. `trunk` and
-- `caller_number` are then those of the latest; here is, in order, what every trunk before it answered.
ALTER TABLE attempts ADD COLUMN tried jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(tried) = 'array');
