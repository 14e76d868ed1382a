//! Bringing what was said into the full-text indexes, some time after it was written.
//!
//! There are two: SQLite's own of all runs of three letters, and one of single letters and pairs, for
//! texts that are shorter than that. Rows beyond an index's mark are not in it yet: they are looked
//! through. Indexing a row takes many times what looking through it does, so nobody waits for it.

use std::fmt::Write as _;

use sqlx::{Connection as _, QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::StatsError;

/// Rows of one transaction: others write between two.
const ROWS: i64 = 200;
/// Bytes of text of one transaction, which takes some tenths of a second.
const BYTES: usize = 1 << 20;
/// When so many rows are not indexed, programs that end at once take the time to index some.
pub(super) const TAIL: i64 = 1_000;

/// One of the two indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Index {
    /// Its table.
    pub(super) table: &'static str,
    /// Where the table `text_index` keeps the last row that is in it.
    mark: &'static str,
}

const RUNS: Index = Index {
    table: "exchanges_text",
    mark: "upto",
};
const PAIRS: Index = Index {
    table: "exchanges_pairs",
    mark: "pairs_upto",
};

/// Indexes all rows that are not indexed yet.
pub(super) async fn complete(connection: &mut SqliteConnection) -> Result<(), StatsError> {
    while extend(connection, ROWS).await? {}
    Ok(())
}

/// The last row that is in an index.
pub(super) async fn upto(
    connection: &mut SqliteConnection,
    index: Index,
) -> Result<i64, StatsError> {
    let mark = index.mark;
    let query = format!("SELECT {mark} FROM text_index");
    Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(query))
        .fetch_one(connection)
        .await?)
}

/// About how many rows are missing in an index.
pub(super) async fn behind(connection: &mut SqliteConnection) -> Result<i64, StatsError> {
    let behind: Option<i64> = sqlx::query_scalar(
        "SELECT (SELECT max(id) FROM exchanges) - (SELECT min(upto, pairs_upto) FROM text_index)",
    )
    .fetch_one(connection)
    .await?;
    Ok(behind.unwrap_or(0))
}

/// Indexes at most so many rows; returns whether there are more.
pub(super) async fn extend(
    connection: &mut SqliteConnection,
    rows: i64,
) -> Result<bool, StatsError> {
    // Seen without the lock first: mostly there is nothing to do.
    if behind(connection).await? <= 0 {
        return Ok(false);
    }
    // What takes time is done before others have to wait.
    let marks = (
        upto(connection, RUNS).await?,
        upto(connection, PAIRS).await?,
    );
    let first = marks.0.min(marks.1);
    let found =
        sqlx::query("SELECT id, prompt, answer FROM exchanges WHERE id > ? ORDER BY id LIMIT ?")
            .bind(first)
            .bind(rows.min(ROWS))
            .fetch_all(&mut *connection)
            .await?;
    let (mut count, mut last, mut bytes) = (0, first, 0);
    let mut short = vec![];
    for row in &found {
        if bytes > BYTES {
            break;
        }
        let prompt: Option<&str> = row.try_get("prompt")?;
        let answer: Option<&str> = row.try_get("answer")?;
        last = row.try_get("id")?;
        count += 1;
        let texts = [prompt, answer];
        bytes += texts.iter().flatten().map(|text| text.len()).sum::<usize>();
        if last > marks.1 && texts.iter().any(Option::is_some) {
            short.push((last, pairs(texts.into_iter().flatten())));
        }
    }
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let now = (
        upto(&mut transaction, RUNS).await?,
        upto(&mut transaction, PAIRS).await?,
    );
    let there: i64 = sqlx::query_scalar("SELECT count(*) FROM exchanges WHERE id > ? AND id <= ?")
        .bind(first)
        .bind(last)
        .fetch_one(&mut *transaction)
        .await?;
    if now != marks || there != count {
        // Somebody else indexed them, or removed some.
        return Ok(true);
    }
    if !short.is_empty() {
        let mut query = QueryBuilder::<Sqlite>::new("INSERT INTO exchanges_pairs (rowid, pairs) ");
        query.push_values(short, |mut row, (id, pairs)| {
            row.push_bind(id).push_bind(pairs);
        });
        query.build().execute(&mut *transaction).await?;
    }
    sqlx::query(
        "INSERT INTO exchanges_text (rowid, prompt, answer)
         SELECT id, prompt, answer FROM exchanges
         WHERE id > ? AND id <= ? AND (prompt IS NOT NULL OR answer IS NOT NULL)",
    )
    .bind(marks.0)
    .bind(last)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("UPDATE text_index SET upto = max(upto, ?1), pairs_upto = max(pairs_upto, ?1)")
        .bind(last)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(behind(connection).await? > 0)
}

/// The query that finds a text, and the index to ask.
pub(super) fn query(text: &str) -> (Index, String) {
    let letters: Vec<char> = folded(text).collect();
    match letters.as_slice() {
        [one] => (PAIRS, word(*one, None)),
        [one, two] => (PAIRS, word(*one, Some(*two))),
        _ => (RUNS, format!("\"{}\"", text.replace('"', "\"\""))),
    }
}

/// Whether a text holds another, as the indexes see it.
pub(super) fn holds(text: &str, wanted: &str) -> bool {
    folded(text)
        .collect::<String>()
        .contains(&folded(wanted).collect::<String>())
}

fn folded(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}

/// Whether SQLite's `lower`, which knows ASCII alone, folds a text as the indexes do.
pub(super) fn folds_simply(text: &str) -> bool {
    text.chars().all(|letter| {
        letter.is_ascii()
            || (letter.to_lowercase().eq([letter]) && letter.to_uppercase().eq([letter]))
    })
}

/// Each letter and each pair of letters, as a word of ASCII letters and digits.
fn pairs<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut found = vec![];
    for text in texts {
        let mut before = None;
        for letter in folded(text) {
            found.push((letter, None));
            if let Some(before) = before.replace(letter) {
                found.push((before, Some(letter)));
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    let mut words = String::with_capacity(found.len() * 8);
    for (one, two) in found {
        words.push_str(&word(one, two));
        words.push(' ');
    }
    words
}

fn word(one: char, two: Option<char>) -> String {
    let mut word = format!("s{:x}", u32::from(one));
    if let Some(two) = two {
        let _ = write!(word, "p{:x}", u32::from(two));
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_pairs_are_words_once_each() {
        assert_eq!(pairs(["Aab"].into_iter()), "s61 s61p61 s61p62 s62 ");
        assert_eq!(query("天气"), (PAIRS, "s5929p6c14".into()));
        assert_eq!(query("A"), (PAIRS, "s61".into()));
        assert_eq!(query("a\"b c"), (RUNS, "\"a\"\"b c\"".into()));
        assert!(holds("Über Straße", "üB") && !holds("ab", "ba"));
        assert!(folds_simply("Ab 天气?") && !folds_simply("üb") && !folds_simply("Ж"));
    }
}
