-- expand
-- When a vendor that asked again was told that its bet stands: no gateway undoes it as overdue then.

ALTER TABLE transactions ADD COLUMN vouched_ms BIGINT;
