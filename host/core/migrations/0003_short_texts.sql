-- Single letters and pairs of them in any script, which the index of three letters cannot find: most
-- Chinese and Japanese words are that short. The program writes them as words of their own; see
-- text_index. No positions are kept, because a pair is found wherever it stands.
CREATE VIRTUAL TABLE exchanges_pairs USING fts5 (
    pairs, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

-- The rows up to this one are in this index; upto is the mark of the other one.
ALTER TABLE text_index ADD COLUMN pairs_upto INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER exchanges_pairs_delete AFTER DELETE ON exchanges
WHEN (old.prompt IS NOT NULL OR old.answer IS NOT NULL)
    AND old.id <= (SELECT pairs_upto FROM text_index) BEGIN
    DELETE FROM exchanges_pairs WHERE rowid = old.id;
END;
