//! Bringing what was said into the full-text index, some time after it was written.

use sqlx::{Connection as _, SqliteConnection};

use super::StatsError;

/// Rows of one transaction: others write between two.
const ROWS: u32 = 200;

/// Indexes all rows that are not indexed yet.
pub(super) async fn complete(connection: &mut SqliteConnection) -> Result<(), StatsError> {
    while extend(connection).await? {}
    Ok(())
}

/// Indexes some rows; returns whether there are more.
pub(super) async fn extend(connection: &mut SqliteConnection) -> Result<bool, StatsError> {
    // Seen without the lock first: mostly there is nothing to do.
    if next(connection).await?.is_none() {
        return Ok(false);
    }
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let Some(last) = next(&mut transaction).await? else {
        return Ok(false);
    };
    sqlx::query(
        "INSERT INTO exchanges_text (rowid, prompt, answer)
         SELECT id, prompt, answer FROM exchanges
         WHERE id > (SELECT upto FROM text_index) AND id <= ?
            AND (prompt IS NOT NULL OR answer IS NOT NULL)",
    )
    .bind(last)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("UPDATE text_index SET upto = ?")
        .bind(last)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(next(connection).await?.is_some())
}

/// The last row of those to be indexed next.
async fn next(connection: &mut SqliteConnection) -> Result<Option<i64>, StatsError> {
    let last: Option<i64> = sqlx::query_scalar(
        "SELECT max(id) FROM (
            SELECT id FROM exchanges WHERE id > (SELECT upto FROM text_index) ORDER BY id LIMIT ?
         )",
    )
    .bind(ROWS)
    .fetch_one(connection)
    .await?;
    Ok(last)
}
