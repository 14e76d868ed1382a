-- Single letters and pairs of them in any script, which the index of three letters cannot find: most
-- Chinese and Japanese words are that short. The program writes them as words of their own; see
-- text_index. No positions are kept, because a pair is found wherever it stands.
CREATE VIRTUAL TABLE exchanges_pairs USING fts5 (
    pairs, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

CREATE TRIGGER exchanges_pairs_delete AFTER DELETE ON exchanges
WHEN (old.prompt IS NOT NULL OR old.answer IS NOT NULL)
    AND old.id <= (SELECT upto FROM text_index) BEGIN
    DELETE FROM exchanges_pairs WHERE rowid = old.id;
END;

-- Rows that are there already come into both indexes anew.
INSERT INTO exchanges_text (exchanges_text) VALUES ('delete-all');
UPDATE text_index SET upto = 0;
