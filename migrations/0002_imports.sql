-- Which contacts an import brought or updated, with their row in the file: a campaign takes its leads from here.
-- No foreign key to contacts: it would check a million rows one by one, and the rows are
-- written in the transaction that has just written the contacts. Whoever erases a contact erases its links first.
CREATE TABLE import_contacts (
  import_id uuid NOT NULL,
  contact_id uuid NOT NULL,
  row integer NOT NULL,
  PRIMARY KEY (import_id, row)
);
