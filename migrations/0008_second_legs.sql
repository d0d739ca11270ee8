-- How those whom the platform called beside a call were heard: role, masked target, when they were there and the figures
-- of their audio, as calls.media has them of the callee. NULL in calls from before.
ALTER TABLE calls ADD COLUMN legs jsonb;
