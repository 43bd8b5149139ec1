-- Attempts at proving a live face stand beside those at proving a real name.

ALTER TABLE shimin.verification_attempt
    ADD COLUMN kind text NOT NULL DEFAULT 'real_name' CHECK (kind IN ('real_name', 'live_face'));
