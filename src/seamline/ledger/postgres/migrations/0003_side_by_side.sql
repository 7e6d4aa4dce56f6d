-- expand
-- The oldest schema that a program may know and go on beside this one: that of the last change which
-- was no mere addition.

ALTER TABLE schema_version ADD COLUMN oldest INTEGER NOT NULL DEFAULT 1;
