//! The containers of a release, written so that the same content gives the same bytes: entries in the order of
//! their paths, the time of the commit, no owner but root unless a file is a user's own, one level of compression.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::{Context, Result};
use flate2::write::DeflateEncoder;
use flate2::{Compression, GzBuilder};
use tar::{EntryType, Header};

/// What an ordinary file may: everybody reads it.
const FILE: u32 = 0o644;
/// What a program may.
const PROGRAM: u32 = 0o755;
const FOLDER: u32 = 0o755;
/// What a zip archive adds to the mode of a file.
const REGULAR: u32 = 0o100_000;

/// Files and folders by their paths, without a leading `/`. The folders above an entry need not be named.
#[derive(Clone, Default)]
pub(super) struct Tree {
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone)]
struct Entry {
    mode: u32,
    /// Of user and group.
    owner: u32,
    /// None for a folder.
    bytes: Option<Vec<u8>>,
}

impl Tree {
    pub(super) fn file(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.put(path, FILE, 0, Some(bytes.into()));
    }

    pub(super) fn program(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.put(path, PROGRAM, 0, Some(bytes.into()));
    }

    /// An empty folder of its own.
    pub(super) fn folder(&mut self, path: impl Into<String>, mode: u32, owner: u32) {
        self.put(path, mode, owner, None);
    }

    fn put(&mut self, path: impl Into<String>, mode: u32, owner: u32, bytes: Option<Vec<u8>>) {
        let entry = Entry { mode, owner, bytes };
        self.entries.insert(path.into(), entry);
    }

    /// The files, in order.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let entries = self.entries.iter();
        entries.filter_map(|(path, entry)| Some((path.as_str(), entry.bytes.as_deref()?)))
    }

    /// As a tar archive in gzip. `prefix` stands before each path.
    ///
    /// # Errors
    ///
    /// A path is too long for the format.
    pub(super) fn tar_gz(&self, prefix: &str, time: u64) -> Result<Vec<u8>> {
        let mut tar = tar::Builder::new(gzip(Vec::new()));
        for (path, entry) in &self.with_parents() {
            let mut header = Header::new_gnu();
            header.set_mode(entry.mode);
            header.set_uid(entry.owner.into());
            header.set_gid(entry.owner.into());
            header.set_mtime(time);
            let path = format!("{prefix}{path}");
            let content = entry.bytes.as_deref();
            header.set_entry_type(content.map_or(EntryType::Directory, |_| EntryType::Regular));
            let content = content.unwrap_or_default();
            header.set_size(content.len() as u64);
            let path = if entry.bytes.is_none() {
                format!("{path}/")
            } else {
                path
            };
            tar.append_data(&mut header, &path, content)
                .with_context(|| format!("cannot pack {path}"))?;
        }
        Ok(tar.into_inner()?.finish()?)
    }

    /// As a zip archive, whose files have the format's first moment for their time.
    ///
    /// # Errors
    ///
    /// The content is too large for the format.
    pub(super) fn zip(&self) -> Result<Vec<u8>> {
        let mut zip = rawzip::ZipArchiveWriter::new(Vec::new());
        for (path, entry) in &self.entries {
            let Some(bytes) = &entry.bytes else { continue };
            let context = || format!("cannot pack {path}");
            let file = zip
                .new_file(path)
                .compression_method(rawzip::CompressionMethod::DEFLATE)
                .unix_permissions(REGULAR | entry.mode);
            let (mut packed, config) = file.start().with_context(context)?;
            let mut content = config.wrap(DeflateEncoder::new(&mut packed, Compression::best()));
            content.write_all(bytes).with_context(context)?;
            let (encoder, sizes) = content.finish().with_context(context)?;
            encoder.finish().with_context(context)?;
            packed.finish(sizes).with_context(context)?;
        }
        zip.finish().context("cannot pack the list of files")
    }

    fn with_parents(&self) -> BTreeMap<String, Entry> {
        let mut all = self.entries.clone();
        for path in self.entries.keys() {
            for (at, _) in path.match_indices('/') {
                let parent = path.get(..at).unwrap_or_default().to_owned();
                all.entry(parent).or_insert_with(|| Entry {
                    mode: FOLDER,
                    owner: 0,
                    bytes: None,
                });
            }
        }
        all
    }
}

/// Bytes in gzip, without a name and without a time.
///
/// # Errors
///
/// None that a vector in memory could have.
pub(super) fn gz(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut gzip = gzip(Vec::new());
    gzip.write_all(bytes)?;
    Ok(gzip.finish()?)
}

fn gzip(into: Vec<u8>) -> flate2::write::GzEncoder<Vec<u8>> {
    GzBuilder::new().mtime(0).write(into, Compression::best())
}

/// The archive of `ar`, which is what a Debian package is.
pub(super) fn ar(members: &[(&str, Vec<u8>)], time: u64) -> Vec<u8> {
    let mut archive = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        let size = bytes.len();
        let header = format!(
            "{name:<16}{time:<12}{:<6}{:<6}{:<8}{size:<10}`\n",
            0, 0, 100_644
        );
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(bytes);
        if size % 2 == 1 {
            archive.push(b'\n');
        }
    }
    archive
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn tree() -> Tree {
        let mut tree = Tree::default();
        tree.program("usr/bin/tool", "#!/bin/sh\n");
        tree.file("b.txt", "second");
        tree.folder("home/user", 0o700, 1000);
        tree
    }

    #[test]
    fn a_tar_holds_every_folder_once_before_what_is_in_it_and_one_time() {
        let packed = tree().tar_gz("x/", 1_700_000_000).expect("packed");
        assert_eq!(packed, tree().tar_gz("x/", 1_700_000_000).expect("again"));
        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(&packed[..]));
        let mut seen = Vec::new();
        for entry in tar.entries().expect("a tar") {
            let entry = entry.expect("an entry");
            let header = entry.header();
            assert_eq!(header.mtime().expect("a time"), 1_700_000_000);
            let path = entry.path().expect("a path").display().to_string();
            let (mode, owner) = (
                header.mode().expect("a mode"),
                header.uid().expect("an owner"),
            );
            seen.push(format!("{path} {mode:o} {owner}"));
        }
        let expected = [
            "x/b.txt 644 0",
            "x/home/ 755 0",
            "x/home/user/ 700 1000",
            "x/usr/ 755 0",
            "x/usr/bin/ 755 0",
            "x/usr/bin/tool 755 0",
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_zip_keeps_what_may_be_run_and_the_same_bytes() {
        let packed = tree().zip().expect("packed");
        assert_eq!(packed, tree().zip().expect("again"));
        let zip = rawzip::ZipArchive::from_slice(&packed).expect("a zip");
        let mut entries = zip.entries();
        let mut seen = Vec::new();
        while let Some(entry) = entries.next_entry().expect("an entry") {
            let path = entry.file_path().try_normalize().expect("a path");
            let mode = entry.mode().value() & 0o777;
            let content = zip.get_entry(entry.wayfinder()).expect("content");
            let mut text = String::new();
            let mut content = flate2::read::DeflateDecoder::new(content.data());
            content.read_to_string(&mut text).expect("text");
            seen.push(format!("{} {mode:o} {text}", path.as_ref()));
        }
        assert_eq!(seen, ["b.txt 644 second", "usr/bin/tool 755 #!/bin/sh\n"]);
    }

    #[test]
    fn members_of_an_ar_begin_at_even_places() {
        let packed = ar(&[("a", b"odd".to_vec()), ("b", b"even".to_vec())], 7);
        let text = String::from_utf8(packed).expect("text");
        assert_eq!(text.len(), 8 + 60 + 4 + 60 + 4);
        assert!(text.starts_with(
            "!<arch>\na               7           0     0     100644  3         `\nodd\nb"
        ));
    }
}
