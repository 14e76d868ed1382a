//! Which recorded exchanges a command is about.

use super::{Context, Failure, clock};
use multillm::stats::{self, Filter};

/// Arguments that choose exchanges.
#[derive(Debug, clap::Args)]
#[group(id = "filter")]
pub(super) struct Args {
    /// Of this configured model only
    #[arg(long, short, value_name = "NAME")]
    model: Option<String>,
    /// Of this provider only
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// On behalf of this caller of the gateway only
    #[arg(long, value_name = "NAME")]
    caller: Option<String>,
    /// Since then: 30m, 2h, 7d, 2026-11-01, or 2026-11-01T09:30:00+08:00 (local time unless it says otherwise)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// Only those that failed or were cancelled
    #[arg(long)]
    failed: bool,
}

impl Args {
    /// The filter they describe.
    pub(super) fn filter(&self, context: &Context) -> Result<Filter, Failure> {
        let now = jiff::Timestamp::now().as_millisecond();
        let since_ms = self
            .since
            .as_deref()
            .map(|text| stats::since(text, now, &clock::zone(context)));
        Ok(Filter {
            model: self.model.clone(),
            provider: self.provider.clone(),
            caller: self.caller.clone(),
            since_ms: since_ms
                .transpose()
                .map_err(|reason| Failure::Usage(format!("--since {reason}")))?,
            failed: self.failed,
            ..Filter::default()
        })
    }
}
