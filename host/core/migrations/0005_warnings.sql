-- What was asked and left out because the vendor or the model cannot do it (a JSON list of texts).
ALTER TABLE exchanges ADD COLUMN warnings TEXT;
