-- On whose behalf an exchange was: the caller of a gateway, the session and agent of the caller's program.
ALTER TABLE exchanges ADD COLUMN caller TEXT;
ALTER TABLE exchanges ADD COLUMN session TEXT;
ALTER TABLE exchanges ADD COLUMN agent TEXT;
CREATE INDEX exchanges_caller ON exchanges (caller, at_ms) WHERE caller IS NOT NULL;
