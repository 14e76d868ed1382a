-- What a vendor says of the price beyond the counts of tokens: the service level that answered, where it
-- is not the standard one, and what the price of a token does not cover (a JSON list of texts).
ALTER TABLE exchanges ADD COLUMN tier TEXT;
ALTER TABLE exchanges ADD COLUMN unpriced TEXT;
