//! Signs of life on a terminal while something takes longer than half a second.

use std::borrow::Cow;
use std::future::Future;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Context, foreign};
use multillm::service::CompareProgress;

/// Shorter waits are not worth a sign.
const SOON: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);

/// Waits, with a spinner on stderr if it takes long and somebody looks.
pub(super) async fn waiting<T>(
    context: &Context,
    what: impl Into<Cow<'static, str>>,
    future: impl Future<Output = T>,
) -> T {
    let mut future = std::pin::pin!(future);
    if !context.printer.shows_progress() {
        return future.await;
    }
    tokio::select! {
        done = &mut future => return done,
        () = tokio::time::sleep(SOON) => {}
    }
    let bar = spinner(what);
    let _erase = Erase(&bar);
    future.await
}

/// Takes the spinner away, also when nobody waits any more.
struct Erase<'a>(&'a ProgressBar);

impl Drop for Erase<'_> {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn spinner(what: impl Into<Cow<'static, str>>) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(foreign::line(&what.into()));
    bar.set_style(style("{spinner} {msg} {elapsed}"));
    bar.enable_steady_tick(TICK);
    bar
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// Counts entries on stderr, if somebody looks and it takes long.
pub(super) struct Counter {
    bar: Option<ProgressBar>,
    begun: Instant,
}

impl Counter {
    /// `shown`: nothing else is drawn meanwhile. `all`: how many there are, where that is known.
    pub(super) fn new(context: &Context, shown: bool, all: Option<u64>) -> Self {
        let bar = (shown && context.printer.shows_progress()).then(|| {
            let bar = match all {
                Some(all) => ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::hidden()),
                None => ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            };
            bar.set_style(style(match all {
                Some(_) => "{spinner} {human_pos} of {human_len} exchanges {elapsed}",
                None => "{spinner} {human_pos} exchanges {elapsed}",
            }));
            bar
        });
        Counter {
            bar,
            begun: Instant::now(),
        }
    }

    pub(super) fn one_more(&self) {
        if let Some(bar) = &self.bar {
            if bar.is_hidden() && self.begun.elapsed() >= SOON {
                bar.set_draw_target(ProgressDrawTarget::stderr());
            }
            bar.inc(1);
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A line for each of several models.
pub(super) struct Lines {
    all: MultiProgress,
    bars: Vec<ProgressBar>,
}

impl Lines {
    /// The lines, or none where nobody looks.
    pub(super) fn new(context: &Context, models: &[String]) -> Self {
        let target = match context.printer.shows_progress() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let all = MultiProgress::with_draw_target(target);
        let width = models
            .iter()
            .map(|name| unicode_width::UnicodeWidthStr::width(name.as_str()));
        let width = width.max().unwrap_or(0);
        let bars = models
            .iter()
            .map(|model| {
                let bar = all.add(ProgressBar::new_spinner());
                bar.set_style(style(&format!(
                    "{{spinner}} {{prefix:{width}}} {{elapsed}} {{msg}}"
                )));
                bar.set_prefix(foreign::line(model));
                bar.set_message("waiting");
                if context.printer.shows_progress() {
                    bar.enable_steady_tick(TICK);
                }
                bar
            })
            .collect();
        Lines { all, bars }
    }

    /// News of the model at this place.
    pub(super) fn tell(&self, place: usize, news: &CompareProgress) {
        let Some(bar) = self.bars.get(place) else {
            return;
        };
        match news {
            CompareProgress::Begun => bar.set_message("answering"),
            CompareProgress::Received(characters) => {
                bar.set_message(format!("{characters} characters"));
            }
            CompareProgress::Answered => bar.finish_with_message("done"),
            CompareProgress::Failed(kind) => bar.finish_with_message(format!("failed: {kind}")),
            _ => {}
        }
    }

    /// Takes the lines away.
    pub(super) fn clear(&self) {
        let _ = self.all.clear();
    }
}
