//! The ledger's file: what was spent by account and day, what is held, what exchanges cost lately.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rust_decimal::Decimal;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::policy::{Balance, Decision, decide};
use super::{Answer, DAYS, Held, LEASE_MS, Order, Paid};
use crate::stats::database::prepare_file;
use crate::stats::{Filter, History, StatsError};

/// How long a statement waits for other processes: they take milliseconds each.
const BUSY: Duration = Duration::from_secs(3);
/// The number of this form.
const VERSION: i64 = 1;

const SCHEMA: [&str; 3] = [
    // US dollars as decimal text: never a binary fraction.
    "CREATE TABLE IF NOT EXISTS budget_spent (
        account TEXT NOT NULL, day INTEGER NOT NULL, spent TEXT NOT NULL,
        PRIMARY KEY (account, day)
    )",
    "CREATE TABLE IF NOT EXISTS budget_held (
        id TEXT NOT NULL, account TEXT NOT NULL, day INTEGER NOT NULL, held TEXT NOT NULL,
        expected TEXT NOT NULL, expires_ms INTEGER NOT NULL, PRIMARY KEY (id, account)
    )",
    "CREATE TABLE IF NOT EXISTS budget_dearest (
        model TEXT NOT NULL, day INTEGER NOT NULL, cost TEXT NOT NULL, PRIMARY KEY (model, day)
    )",
];

/// Where the ledger is, and what tells of a day that it does not know yet.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) history: Option<PathBuf>,
}

impl Source {
    pub(super) async fn open(&self) -> Result<Book, StatsError> {
        Book::open(&self.path).await
    }

    /// What the history says was spent. Without a history there is nothing to be said.
    pub(super) async fn spent_before(&self, filter: &Filter) -> Result<Decimal, StatsError> {
        let history = self.history.as_deref();
        let Some(path) = history.filter(|path| path.exists()) else {
            return Ok(Decimal::ZERO);
        };
        let mut history = History::open(path).await?;
        let spent = history.spent(filter).await;
        history.close().await;
        spent.map_err(|error| error.at(path))
    }

    /// The same error with the file's name.
    pub(super) fn named(&self, error: StatsError) -> StatsError {
        error.at(&self.path)
    }
}

pub(super) struct Book {
    connection: SqliteConnection,
}

impl Book {
    async fn open(path: &Path) -> Result<Self, StatsError> {
        prepare_file(path)?;
        let opened = async {
            let mut connection = SqliteConnectOptions::new()
                .filename(path)
                .synchronous(SqliteSynchronous::Normal)
                .busy_timeout(BUSY)
                .disable_statement_logging()
                .connect()
                .await?;
            let version: i64 = sqlx::query_scalar("PRAGMA user_version")
                .fetch_one(&mut connection)
                .await?;
            let strangers: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'
                    AND name NOT LIKE 'budget_%'",
            )
            .fetch_one(&mut connection)
            .await?;
            let path = path.display().to_string();
            if strangers > 0 {
                return Err(StatsError::Foreign { path });
            }
            if version > VERSION {
                return Err(StatsError::Newer {
                    path,
                    found: version,
                    known: VERSION,
                });
            }
            if version < VERSION {
                sqlx::query("PRAGMA journal_mode = WAL")
                    .execute(&mut connection)
                    .await?;
                for step in SCHEMA {
                    sqlx::query(step).execute(&mut connection).await?;
                }
                sqlx::query(sqlx::AssertSqlSafe(format!(
                    "PRAGMA user_version = {VERSION}"
                )))
                .execute(&mut connection)
                .await?;
            }
            Ok(Book { connection })
        };
        opened.await.map_err(|error: StatsError| error.at(path))
    }

    /// Whether an account is known on a day.
    pub(super) async fn knows(&mut self, account: &str, day: i64) -> Result<bool, StatsError> {
        let known: i64 =
            sqlx::query_scalar("SELECT count(*) FROM budget_spent WHERE account = ? AND day = ?")
                .bind(account)
                .bind(day)
                .fetch_one(&mut self.connection)
                .await?;
        Ok(known > 0)
    }

    /// Decides about an exchange, and holds what it may cost if it may begin. `seeds` is what is known
    /// to have been spent on accounts that the ledger does not know on that day.
    pub(super) async fn reserve(
        &mut self,
        order: &Order,
        seeds: &[(String, i64, Decimal)],
    ) -> Result<Answer, StatsError> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        for (account, day, spent) in seeds {
            sqlx::query(
                "INSERT OR IGNORE INTO budget_spent (account, day, spent) VALUES (?, ?, ?)",
            )
            .bind(account)
            .bind(day)
            .bind(spent.to_string())
            .execute(&mut *transaction)
            .await?;
        }
        sweep(&mut transaction, order).await?;
        let dearest = dearest(&mut transaction, order).await?;
        let mut begin = vec![];
        let mut answer = None;
        for budget in &order.budgets {
            let day = budget.period.day(order.now_ms);
            let mut balance = balance(&mut transaction, &budget.account, day).await?;
            balance.budget = budget.limit;
            balance.dearest = dearest;
            match decide(&balance, &order.estimate) {
                Decision::Begin { expected, held } => {
                    begin.push((&budget.account, day, expected, held))
                }
                Decision::Wait => {
                    answer.get_or_insert(Answer::Wait);
                }
                Decision::Refuse { needs } => {
                    answer = Some(Answer::Refused {
                        account: budget.account.clone(),
                        spent: balance.spent,
                        held: balance.held,
                        needs,
                    });
                    break;
                }
            }
        }
        if answer.is_none() {
            for (account, day, expected, held) in &begin {
                sqlx::query(
                    "INSERT INTO budget_held (id, account, day, held, expected, expires_ms)
                     VALUES (?, ?, ?, ?, ?, ?)",
                )
                .bind(&order.id)
                .bind(*account)
                .bind(day)
                .bind(held.to_string())
                .bind(expected.to_string())
                .bind(order.now_ms + LEASE_MS)
                .execute(&mut *transaction)
                .await?;
            }
        }
        transaction.commit().await?;
        Ok(answer.unwrap_or_else(|| {
            Answer::Begin(Held {
                id: order.id.clone(),
                model: order.model.clone(),
                day: order.day,
                expected: begin
                    .into_iter()
                    .map(|(account, day, expected, _)| (account.clone(), day, expected))
                    .collect(),
            })
        }))
    }

    /// An exchange is over.
    pub(super) async fn settle(&mut self, held: &Held, paid: Paid) -> Result<(), StatsError> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        for (account, day, expected) in &held.expected {
            let gone = sqlx::query("DELETE FROM budget_held WHERE id = ? AND account = ?")
                .bind(&held.id)
                .bind(account)
                .execute(&mut *transaction)
                .await?;
            let cost = match paid {
                Paid::Nothing => Decimal::ZERO,
                Paid::Known(cost) => cost,
                Paid::Unknown => *expected,
            };
            // It was not heard of for so long that it was counted as expected.
            let counted = match gone.rows_affected() {
                0 => *expected,
                _ => Decimal::ZERO,
            };
            spend(
                &mut transaction,
                account,
                *day,
                cost.saturating_sub(counted),
            )
            .await?;
        }
        if let Paid::Known(cost) = paid {
            let before: Option<String> =
                sqlx::query_scalar("SELECT cost FROM budget_dearest WHERE model = ? AND day = ?")
                    .bind(&held.model)
                    .bind(held.day)
                    .fetch_optional(&mut *transaction)
                    .await?;
            let dearest =
                before.map_or(Ok(cost), |before| amount(&before).map(|old| old.max(cost)))?;
            sqlx::query(
                "INSERT OR REPLACE INTO budget_dearest (model, day, cost) VALUES (?, ?, ?)",
            )
            .bind(&held.model)
            .bind(held.day)
            .bind(dearest.to_string())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// These are still under way.
    pub(super) async fn renew<'a>(
        &mut self,
        ids: impl Iterator<Item = &'a String>,
        now_ms: i64,
    ) -> Result<(), StatsError> {
        let mut transaction = self.connection.begin_with("BEGIN IMMEDIATE").await?;
        for id in ids {
            sqlx::query("UPDATE budget_held SET expires_ms = ? WHERE id = ?")
                .bind(now_ms + LEASE_MS)
                .bind(id)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    pub(super) async fn close(self) {
        let _ = self.connection.close().await;
    }
}

/// What was held by processes that are gone counts as expected: it was sent. What is old is forgotten.
async fn sweep(connection: &mut SqliteConnection, order: &Order) -> Result<(), StatsError> {
    let lapsed =
        sqlx::query("SELECT id, account, day, expected FROM budget_held WHERE expires_ms < ?")
            .bind(order.now_ms)
            .fetch_all(&mut *connection)
            .await?;
    for row in lapsed {
        let (id, account): (String, String) = (row.try_get("id")?, row.try_get("account")?);
        let expected = amount(row.try_get("expected")?)?;
        spend(connection, &account, row.try_get("day")?, expected).await?;
        sqlx::query("DELETE FROM budget_held WHERE id = ? AND account = ?")
            .bind(id)
            .bind(account)
            .execute(&mut *connection)
            .await?;
    }
    for old in [
        "DELETE FROM budget_spent WHERE day < ?",
        "DELETE FROM budget_dearest WHERE day < ?",
    ] {
        sqlx::query(old)
            .bind(order.day - DAYS)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn spend(
    connection: &mut SqliteConnection,
    account: &str,
    day: i64,
    cost: Decimal,
) -> Result<(), StatsError> {
    let before = spent(connection, account, day).await?;
    let now = before.saturating_add(cost).max(Decimal::ZERO);
    sqlx::query("INSERT OR REPLACE INTO budget_spent (account, day, spent) VALUES (?, ?, ?)")
        .bind(account)
        .bind(day)
        .bind(now.to_string())
        .execute(&mut *connection)
        .await?;
    Ok(())
}

async fn spent(
    connection: &mut SqliteConnection,
    account: &str,
    day: i64,
) -> Result<Decimal, StatsError> {
    let spent: Option<String> =
        sqlx::query_scalar("SELECT spent FROM budget_spent WHERE account = ? AND day = ?")
            .bind(account)
            .bind(day)
            .fetch_optional(connection)
            .await?;
    spent.map_or(Ok(Decimal::ZERO), |spent| amount(&spent))
}

async fn balance(
    connection: &mut SqliteConnection,
    account: &str,
    day: i64,
) -> Result<Balance, StatsError> {
    let mut balance = Balance {
        spent: spent(connection, account, day).await?,
        ..Balance::default()
    };
    let held: Vec<String> =
        sqlx::query_scalar("SELECT held FROM budget_held WHERE account = ? AND day = ?")
            .bind(account)
            .bind(day)
            .fetch_all(connection)
            .await?;
    for held in held {
        balance.held = balance.held.saturating_add(amount(&held)?);
        balance.open += 1;
    }
    Ok(balance)
}

async fn dearest(
    connection: &mut SqliteConnection,
    order: &Order,
) -> Result<Option<Decimal>, StatsError> {
    let costs: Vec<String> =
        sqlx::query_scalar("SELECT cost FROM budget_dearest WHERE model = ? AND day >= ?")
            .bind(&order.model)
            .bind(order.day - DAYS)
            .fetch_all(connection)
            .await?;
    costs
        .iter()
        .try_fold(None, |dearest: Option<Decimal>, cost| {
            Ok(dearest.max(Some(amount(cost)?)))
        })
}

fn amount(text: &str) -> Result<Decimal, StatsError> {
    text.parse().map_err(|_| StatsError::Damaged {
        row: 0,
        reason: format!("an amount of the ledger, {text:?}, is no decimal"),
    })
}
