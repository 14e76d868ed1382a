//! In place of `traces`, for a program that is built without them.

use std::sync::Arc;

use axum::http::HeaderMap;
use multillm::stats::Record;
use multillm::{Error, Result};
use url::Url;

use crate::access::Line;

/// There are none.
pub(crate) enum Traces {}

/// Nor any of a request.
pub(crate) enum Open {}

impl Traces {
    pub(crate) fn to(collector: Option<&Url>) -> Result<Option<Arc<Self>>> {
        match collector {
            None => Ok(None),
            Some(_) => Err(Error::configuration(
                "gateway.traces: this program was built without traces: build it with the feature \"traces\", or leave the key out",
            )),
        }
    }

    pub(crate) fn begin(self: &Arc<Self>, _: &HeaderMap, _: &str) -> Open {
        match **self {}
    }

    pub(crate) fn exchange(&self, _: &Record) {
        match *self {}
    }

    pub(crate) fn shut_down(&self) {
        match *self {}
    }
}

impl Open {
    pub(crate) fn end(self, _: &Line) {
        match self {}
    }
}
