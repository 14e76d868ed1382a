//! Bringing what was said into the full-text indexes, some time after it was written.
//!
//! There are two: SQLite's own of all runs of three letters, and one of single letters and pairs, for
//! texts that are shorter than that. Rows beyond the mark `upto` are in neither yet.

use std::collections::BTreeSet;

use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::StatsError;

/// Rows of one transaction: others write between two.
const ROWS: i64 = 200;
/// Bytes of text of one transaction, which takes some tenths of a second.
const BYTES: usize = 1 << 20;
/// As many rows at most are looked through without an index: some ten milliseconds.
pub(super) const TAIL: i64 = 2_000;

/// Indexes all rows that are not indexed yet.
pub(super) async fn complete(connection: &mut SqliteConnection) -> Result<(), StatsError> {
    while extend(connection, ROWS).await? {}
    Ok(())
}

/// The last row that is indexed.
pub(super) async fn upto(connection: &mut SqliteConnection) -> Result<i64, StatsError> {
    Ok(sqlx::query_scalar("SELECT upto FROM text_index")
        .fetch_one(connection)
        .await?)
}

/// About how many rows are not indexed yet.
pub(super) async fn behind(connection: &mut SqliteConnection) -> Result<i64, StatsError> {
    let behind: Option<i64> = sqlx::query_scalar(
        "SELECT (SELECT max(id) FROM exchanges) - (SELECT upto FROM text_index)",
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
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let found = sqlx::query(
        "SELECT id, prompt, answer FROM exchanges WHERE id > (SELECT upto FROM text_index)
         ORDER BY id LIMIT ?",
    )
    .bind(rows.min(ROWS))
    .fetch_all(&mut *transaction)
    .await?;
    let mut last = None;
    let mut bytes = 0;
    for row in &found {
        if bytes > BYTES {
            break;
        }
        let id: i64 = row.try_get("id")?;
        let prompt: Option<String> = row.try_get("prompt")?;
        let answer: Option<String> = row.try_get("answer")?;
        last = Some(id);
        if prompt.is_none() && answer.is_none() {
            continue;
        }
        let texts = [prompt.as_deref(), answer.as_deref()];
        bytes += texts.iter().flatten().map(|text| text.len()).sum::<usize>();
        sqlx::query("INSERT INTO exchanges_pairs (rowid, pairs) VALUES (?, ?)")
            .bind(id)
            .bind(pairs(texts.into_iter().flatten()))
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO exchanges_text (rowid, prompt, answer) VALUES (?, ?, ?)")
            .bind(id)
            .bind(prompt)
            .bind(answer)
            .execute(&mut *transaction)
            .await?;
    }
    if let Some(last) = last {
        sqlx::query("UPDATE text_index SET upto = ?")
            .bind(last)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(behind(connection).await? > 0)
}

/// The query that finds a text, and the index to ask.
pub(super) fn query(text: &str) -> (&'static str, String) {
    let letters: Vec<char> = folded(text).collect();
    match letters.as_slice() {
        [one] => ("exchanges_pairs", single(*one)),
        [one, two] => ("exchanges_pairs", pair(*one, *two)),
        _ => (
            "exchanges_text",
            format!("\"{}\"", text.replace('"', "\"\"")),
        ),
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

/// Each letter and each pair of letters, as a word of ASCII letters and digits.
fn pairs<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut words = BTreeSet::new();
    for text in texts {
        let mut before = None;
        for letter in folded(text) {
            words.insert((letter, None));
            if let Some(before) = before.replace(letter) {
                words.insert((before, Some(letter)));
            }
        }
    }
    let words: Vec<String> = words
        .into_iter()
        .map(|(one, two)| two.map_or_else(|| single(one), |two| pair(one, two)))
        .collect();
    words.join(" ")
}

fn single(letter: char) -> String {
    format!("s{:x}", u32::from(letter))
}

fn pair(one: char, two: char) -> String {
    format!("p{:x}x{:x}", u32::from(one), u32::from(two))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_pairs_are_words_once_each() {
        assert_eq!(pairs(["Aab"].into_iter()), "s61 p61x61 p61x62 s62");
        assert_eq!(query("天气").1, "p5929x6c14");
        assert_eq!(query("A").1, "s61");
        assert_eq!(query("a\"b c"), ("exchanges_text", "\"a\"\"b c\"".into()));
        assert!(holds("Über Straße", "üB") && !holds("ab", "ba"));
    }
}
