//! A filter as SQL.

use sqlx::{QueryBuilder, Sqlite};

use super::Filter;
use crate::stats::text_index;

/// Adds what a filter asks for, its limit aside. The text index must be complete.
pub(in crate::stats) fn restrict(query: &mut QueryBuilder<Sqlite>, filter: &Filter) {
    restrict_columns(query, filter);
    if let Some(text) = &filter.text {
        let (index, phrase) = text_index::query(text);
        let index = index.table;
        query
            .push(" AND id IN (SELECT rowid FROM ")
            .push(index)
            .push(" WHERE ")
            .push(index)
            .push(" MATCH ")
            .push_bind(phrase)
            .push(")");
    }
}

/// Adds what a filter asks for, its text and limit aside.
pub(in crate::stats) fn restrict_columns(query: &mut QueryBuilder<Sqlite>, filter: &Filter) {
    if let Some(model) = &filter.model {
        query.push(" AND model = ").push_bind(model.clone());
    }
    if let Some(provider) = &filter.provider {
        query.push(" AND provider = ").push_bind(provider.clone());
    }
    if let Some(caller) = &filter.caller {
        query.push(" AND caller = ").push_bind(caller.clone());
    }
    if let Some(since) = filter.since_ms {
        query.push(" AND at_ms >= ").push_bind(since);
    }
    if let Some(until) = filter.until_ms {
        query.push(" AND at_ms < ").push_bind(until);
    }
    if filter.failed {
        query.push(" AND outcome <> 'success'");
    }
}

/// Adds what a filter asks for, the newest first.
pub(in crate::stats) fn choose(query: &mut QueryBuilder<Sqlite>, filter: &Filter) {
    restrict(query, filter);
    query.push(" ORDER BY at_ms DESC, id DESC");
    if let Some(limit) = filter.limit {
        query.push(" LIMIT ").push_bind(limit);
    }
}
