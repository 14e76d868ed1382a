//! The row of an exchange that is under way. Whatever happens, dropping it writes the row.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::rows::Rows;
use crate::chat::{ChatResponse, Usage, transcript};
use crate::error::{Error, ErrorKind};
use crate::stats::{Outcome, Record};

/// Writes one row when it is dropped: as cancelled, unless it was told otherwise.
pub(super) struct Recording {
    rows: Rows,
    record: Option<Record>,
    begun: Instant,
}

impl Recording {
    /// An exchange begins. `record` says what is known of it.
    pub(super) fn begin(rows: Rows, record: Record) -> Self {
        rows.expect();
        Recording {
            // Where nothing is recorded nothing is put together.
            record: rows.is_heard().then_some(record),
            rows,
            begun: Instant::now(),
        }
    }

    /// A first piece of content came.
    pub(super) fn first_token(&mut self) {
        let elapsed = self.begun.elapsed();
        if let Some(record) = &mut self.record {
            record.ttft.get_or_insert(elapsed);
        }
    }

    /// More of the answer's text came.
    pub(super) fn said(&mut self, text: &str) {
        if let Some(record) = &mut self.record
            && record.prompt.is_some()
        {
            record.answer.get_or_insert_default().push_str(text);
        }
    }

    /// What was left out of the request.
    pub(super) fn left_out(&mut self, warnings: &[String]) {
        if let Some(record) = &mut self.record {
            record.warnings = warnings.to_vec();
        }
    }

    /// The vendor named the answer.
    pub(super) fn named(&mut self, id: Option<&String>, model: Option<&String>) {
        if let Some(record) = &mut self.record {
            for (known, named) in [
                (&mut record.vendor_id, id),
                (&mut record.vendor_model, model),
            ] {
                if named.is_some() && known.as_ref() != named {
                    *known = named.cloned();
                }
            }
        }
    }

    /// What is known of usage before the end.
    pub(super) fn usage(&mut self, usage: Usage) {
        if let Some(record) = &mut self.record {
            record.usage = usage;
        }
    }

    /// The exchange ended with an answer.
    pub(super) fn succeeded(&mut self, answer: &ChatResponse, keep_content: bool) {
        self.ended();
        if let Some(record) = &mut self.record {
            record.outcome = Outcome::Success(answer.finish_reason);
            record.vendor_model.clone_from(&answer.vendor_model);
            record.vendor_id.clone_from(&answer.id);
            record.usage = answer.usage;
            record.cost = answer.cost;
            record.billing.clone_from(&answer.billing);
            record.warnings.clone_from(&answer.warnings);
            if keep_content {
                record.answer = Some(transcript(&answer.parts));
            }
        }
    }

    /// The exchange ended with an error.
    pub(super) fn failed(&mut self, error: &Error) {
        self.ended();
        if let Some(record) = &mut self.record {
            record.outcome = match error.kind {
                ErrorKind::Cancelled => Outcome::Cancelled,
                kind => Outcome::Error {
                    kind,
                    message: error.message.clone(),
                    status: error.status,
                },
            };
        }
    }

    /// Another attempt follows.
    pub(super) fn not_last(&mut self) {
        if let Some(record) = &mut self.record {
            record.last = false;
        }
    }

    fn ended(&mut self) {
        let elapsed = self.begun.elapsed();
        if let Some(record) = &mut self.record {
            record.latency = elapsed;
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if let Some(mut record) = self.record.take() {
            if record.outcome == Outcome::Cancelled {
                record.latency = self.begun.elapsed();
            }
            self.rows.tell(record);
        }
    }
}

/// Unix time in milliseconds.
pub(super) fn now_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}
