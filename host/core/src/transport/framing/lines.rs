//! Bytes to lines. A line that lies within one chunk is never copied.

use memchr::{memchr, memchr2};

use super::FramingError;

/// What ends a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// LF, CRLF or a lone CR.
    Any,
    /// LF. A CR before it stays part of the line.
    Feed,
}

/// Takes a line, without its end.
pub(super) trait LineSink {
    /// Bytes that already count against the bound, before this line.
    fn held(&self) -> usize;

    /// Takes a complete line.
    fn line(&mut self, line: &[u8]);
}

/// Cuts chunks into lines, however the chunks are cut.
#[derive(Debug)]
pub(super) struct Lines {
    ends: Ends,
    /// The beginning of a line whose end has not come.
    pending: Vec<u8>,
    /// The last byte was a CR, which has ended a line: an LF now belongs to it.
    after_cr: bool,
    /// The most bytes of a line together with what the sink holds.
    limit: usize,
}

impl Lines {
    pub(super) fn new(ends: Ends, limit: usize) -> Self {
        Lines {
            ends,
            pending: Vec::new(),
            after_cr: false,
            limit,
        }
    }

    /// Hands every line that `bytes` complete to the sink.
    pub(super) fn push(
        &mut self,
        bytes: &[u8],
        sink: &mut impl LineSink,
    ) -> Result<(), FramingError> {
        let mut rest = bytes;
        loop {
            if self.after_cr && !rest.is_empty() {
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
                self.after_cr = false;
            }
            let end = match self.ends {
                Ends::Any => memchr2(b'\n', b'\r', rest),
                Ends::Feed => memchr(b'\n', rest),
            };
            let Some((line, tail)) = end.and_then(|at| rest.split_at_checked(at)) else {
                self.check(rest.len(), sink)?;
                self.pending.extend_from_slice(rest);
                return Ok(());
            };
            self.check(line.len(), sink)?;
            if self.pending.is_empty() {
                sink.line(line);
            } else {
                self.pending.extend_from_slice(line);
                sink.line(&self.pending);
                self.pending.clear();
            }
            if let Some((byte, after)) = tail.split_first() {
                self.after_cr = *byte == b'\r';
                rest = after;
            }
        }
    }

    /// What stands after the last line end.
    pub(super) fn into_rest(self) -> Vec<u8> {
        self.pending
    }

    fn check(&self, more: usize, sink: &impl LineSink) -> Result<(), FramingError> {
        let line = self.pending.len().saturating_add(more);
        // An empty line only ends things.
        if line > 0 && line.saturating_add(sink.held()) > self.limit {
            return Err(FramingError::FrameTooLong { limit: self.limit });
        }
        Ok(())
    }
}
