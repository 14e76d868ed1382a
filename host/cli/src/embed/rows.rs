//! Vectors as they stand in a file or on standard output, and reading back how far a file got.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Format;
use crate::Failure;
use crate::printer::Printer;

/// Digits of a text's digest that stand beside its vector: enough to tell another text.
const DIGEST: usize = 16;

/// A vector, and what it is of.
#[derive(Serialize)]
pub(super) struct Row<'a> {
    index: usize,
    sha256: String,
    embedding: &'a [f32],
}

impl<'a> Row<'a> {
    pub(super) fn new(index: usize, text: &str, embedding: &'a [f32]) -> Self {
        Row {
            index,
            sha256: digest(text),
            embedding,
        }
    }
}

fn digest(text: &str) -> String {
    let mut digest = hex::encode(Sha256::digest(text));
    digest.truncate(DIGEST);
    digest
}

/// Where rows go.
pub(super) struct Rows {
    format: Format,
    file: Option<(BufWriter<File>, PathBuf)>,
    /// The digests of what is there already.
    there: Vec<String>,
    begun: bool,
}

impl Rows {
    /// To standard output.
    pub(super) fn printed(format: Format) -> Self {
        Rows {
            format,
            file: None,
            there: vec![],
            begun: false,
        }
    }

    /// To a file: anew, or behind what is whole in it.
    pub(super) fn of_file(path: &Path, format: Format, resume: bool) -> Result<Self, Failure> {
        let usage = |what: String| Failure::Usage(format!("{}: {what}", path.display()));
        if resume && format == Format::Binary {
            return Err(usage(
                "binary vectors do not say what they are of: --resume needs --format jsonl or csv"
                    .to_owned(),
            ));
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(!resume);
        let cannot = |error: std::io::Error| usage(format!("cannot write: {error}"));
        let file = options.open(path).map_err(cannot)?;
        let mut there = vec![];
        if resume {
            let length = match format {
                Format::Binary => 0,
                Format::Jsonl | Format::Csv => {
                    whole_rows(path, format, &mut there).map_err(usage)?
                }
            };
            file.set_len(length).map_err(cannot)?;
        }
        let mut file = BufWriter::new(file);
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).map_err(cannot)?;
        Ok(Rows {
            format,
            begun: !there.is_empty(),
            file: Some((file, path.to_owned())),
            there,
        })
    }

    /// How many of the texts are there; they must be the first ones.
    pub(super) fn check(&self, texts: &[String]) -> Result<usize, Failure> {
        for (place, there) in self.there.iter().enumerate() {
            if texts.get(place).map(|text| digest(text)).as_ref() != Some(there) {
                return Err(Failure::Usage(format!(
                    "what is to be embedded is not what stands in the file: text {} differs; leave out \
                     --resume to begin anew",
                    place + 1
                )));
            }
        }
        Ok(self.there.len())
    }

    pub(super) fn write(&mut self, row: &Row<'_>, printer: &Printer) -> Result<(), Failure> {
        let mut bytes = vec![];
        match self.format {
            Format::Jsonl => {
                let line = serde_json::to_string(row).map_err(std::io::Error::from)?;
                bytes.extend_from_slice(line.as_bytes());
                bytes.push(b'\n');
            }
            Format::Csv => {
                if !self.begun {
                    bytes.extend_from_slice(b"index,sha256");
                    for number in 0..row.embedding.len() {
                        write!(bytes, ",{number}")?;
                    }
                    bytes.push(b'\n');
                }
                write!(bytes, "{},{}", row.index, row.sha256)?;
                for number in row.embedding {
                    write!(bytes, ",{number}")?;
                }
                bytes.push(b'\n');
            }
            Format::Binary => {
                for number in row.embedding {
                    bytes.extend_from_slice(&number.to_le_bytes());
                }
            }
        }
        self.begun = true;
        match &mut self.file {
            None => printer.bytes(&bytes)?,
            Some((file, path)) => file.write_all(&bytes).map_err(|error| {
                Failure::Usage(format!("{}: cannot write: {error}", path.display()))
            })?,
        }
        Ok(())
    }

    /// What was written is in the file.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        match &mut self.file {
            None => Ok(()),
            Some((file, path)) => file.flush().map_err(|error| {
                Failure::Usage(format!("{}: cannot write: {error}", path.display()))
            }),
        }
    }
}

/// Reads the digests of the rows that are whole, and how many bytes they and what stands before them take.
fn whole_rows(path: &Path, format: Format, there: &mut Vec<String>) -> Result<u64, String> {
    /// What is read back of a row.
    #[derive(Deserialize)]
    struct Head {
        index: usize,
        sha256: String,
    }
    let file = File::open(path).map_err(|error| format!("cannot read: {error}"))?;
    let mut reader = BufReader::new(file);
    let (mut length, mut line) = (0, vec![]);
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line);
        let read = read.map_err(|error| format!("cannot read: {error}"))?;
        // A row that was being written when the program ended is written again.
        if read == 0 || line.last() != Some(&b'\n') {
            return Ok(length);
        }
        let text = String::from_utf8_lossy(&line);
        let head = match format {
            Format::Jsonl => serde_json::from_str::<Head>(&text).ok(),
            Format::Csv if length == 0 && text.starts_with("index,sha256") => {
                length += read as u64;
                continue;
            }
            Format::Csv | Format::Binary => {
                let mut cells = text.split(',');
                let index = cells.next().and_then(|cell| cell.parse().ok());
                let sha256 = cells.next().map(str::to_owned);
                index
                    .zip(sha256)
                    .map(|(index, sha256)| Head { index, sha256 })
            }
        };
        match head {
            Some(head) if head.index == there.len() => there.push(head.sha256),
            _ => {
                return Err(format!(
                    "line {} is none that this command wrote: leave out --resume to begin anew",
                    there.len() + 1
                ));
            }
        }
        length += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(path: &Path, format: Format, resume: bool) -> Rows {
        Rows::of_file(path, format, resume).unwrap_or_else(|_| panic!("{}", path.display()))
    }

    #[test]
    fn a_file_goes_on_behind_its_last_whole_row() {
        let printer = Printer::new(true);
        let texts: Vec<String> = ["one", "two", "three"].map(str::to_owned).to_vec();
        for format in [Format::Jsonl, Format::Csv] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("vectors");
            let mut first = rows(&path, format, false);
            for (at, text) in texts.iter().take(2).enumerate() {
                let row = Row::new(at, text, &[0.5, -1.25]);
                assert!(first.write(&row, &printer).is_ok());
            }
            assert!(first.flush().is_ok());
            drop(first);
            let whole = std::fs::read(&path).unwrap();
            // The second was being written when the program ended.
            std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
            let mut second = rows(&path, format, true);
            assert!(matches!(second.check(&texts), Ok(1)));
            let others = ["another".to_owned()];
            assert!(second.check(&others).is_err());
            let row = Row::new(1, "two", &[0.5, -1.25]);
            assert!(second.write(&row, &printer).is_ok() && second.flush().is_ok());
            assert_eq!(std::fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn what_this_command_did_not_write_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        std::fs::write(&path, "my own words\n").unwrap();
        assert!(Rows::of_file(&path, Format::Jsonl, true).is_err());
        assert!(Rows::of_file(&path, Format::Binary, true).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "my own words\n");
    }
}
