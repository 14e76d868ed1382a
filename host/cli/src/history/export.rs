//! `multillm history export`: entries for other programs, one by one, however many they are.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serializer as _;
use serde::ser::SerializeSeq as _;

use super::Format;
use crate::{Context, Failure, foreign, progress};
use multillm::files::{Output, Readers};
use multillm::service::MultiLlmService;
use multillm::stats::{CsvTable, Filter};

/// Bytes that are written at one time.
const PIECE: usize = 64 << 10;
/// Beyond so many bytes it is said how much was written, even if nobody sees the file's name.
const MUCH: u64 = 32 << 20;

pub(super) async fn run(
    service: &MultiLlmService,
    filter: &Filter,
    (format, output): (Format, Option<PathBuf>),
    context: &Context,
) -> Result<(), Failure> {
    let mut history = service.history().await?;
    // Counting what holds a text takes as long as writing it.
    let all = match filter.text {
        None => Some(history.count(filter, u64::MAX).await?),
        Some(_) => None,
    };
    let cannot = |path: &PathBuf, error: &io::Error| {
        Failure::Usage(format!("cannot write {}: {error}", path.display()))
    };
    let mut sink = Sink {
        file: match &output {
            Some(path) => {
                let file = Output::open(path, Readers::Owner);
                Some(file.map_err(|error| cannot(path, &error))?)
            }
            None => None,
        },
        format,
        context,
        bytes: Vec::with_capacity(PIECE),
        written: 0,
    };
    // On a terminal the entries themselves show that something is going on.
    let shown = output.is_some() || !context.printer.is_terminal();
    let limit = filter.limit.map(u64::from);
    let all = all.map(|all| all.min(limit.unwrap_or(all)));
    let counter = progress::Counter::new(context, shown, all);
    let count = match format {
        Format::Json => {
            let mut list = serde_json::Serializer::pretty(&mut sink);
            let mut list = list.serialize_seq(None).map_err(io::Error::from)?;
            let count = history
                .each(filter, |entry| {
                    counter.one_more();
                    list.serialize_element(&entry).map_err(failed)
                })
                .await?;
            list.end().map_err(io::Error::from)?;
            sink.write_all(b"\n")?;
            count
        }
        Format::Csv => {
            let mut table = CsvTable::begin(&mut sink)?;
            let count = history
                .each(filter, |entry| {
                    counter.one_more();
                    table.entry(&entry).map_err(Failure::from)
                })
                .await?;
            table.end()?;
            count
        }
    };
    history.close().await;
    let written = sink.end()?;
    drop(counter);
    let megabytes = written / (1 << 20);
    match &output {
        Some(path) if written > MUCH => context.printer.note(&format!(
            "{count} exchanges in {} ({megabytes} MB)",
            path.display()
        )),
        Some(path) => context
            .printer
            .note(&format!("{count} exchanges in {}", path.display())),
        None if written > MUCH && shown => context
            .printer
            .note(&format!("{count} exchanges ({megabytes} MB) are written")),
        None => {}
    }
    Ok(())
}

fn failed(error: serde_json::Error) -> Failure {
    Failure::Output(error.into())
}

/// Where an export goes, in pieces of whole characters.
struct Sink<'a> {
    file: Option<Output>,
    format: Format,
    context: &'a Context,
    bytes: Vec<u8>,
    written: u64,
}

impl Sink<'_> {
    fn pass_on(&mut self) -> io::Result<()> {
        let whole = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text,
            Err(cut) => {
                let whole = self.bytes.get(..cut.valid_up_to()).unwrap_or_default();
                std::str::from_utf8(whole).unwrap_or_default()
            }
        };
        let length = whole.len();
        let text = match self.format {
            Format::Json => Cow::Owned(foreign::json(whole)),
            Format::Csv => Cow::Borrowed(whole),
        };
        match &mut self.file {
            Some(file) => file.write_all(text.as_bytes())?,
            None => self.context.printer.data(&text)?,
        }
        self.written += text.len() as u64;
        self.bytes.drain(..length);
        Ok(())
    }

    /// Writes what is left; gives how much it was in all.
    fn end(mut self) -> io::Result<u64> {
        self.pass_on()?;
        if let Some(file) = self.file.take() {
            file.finish()?;
        }
        Ok(self.written)
    }
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= PIECE {
            self.pass_on()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
