-- What keeps the leading node from dialling a whole campaign, so that its leads can say it.
ALTER TABLE campaign_leases ADD COLUMN hold text;
