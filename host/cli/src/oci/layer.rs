//! The WebAssembly file in layers of a container image, such as one that is built `FROM scratch`.
//!
//! Nothing is unpacked onto the disk, and names of files are only compared. How much is unpacked has a bound, whatever
//! an archive says of itself.

use std::collections::BTreeMap;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;

use super::MAX_COMPONENT;

/// Bytes of all that is unpacked of a layer.
const MAX_UNPACKED: u64 = 512 << 20;
/// Files that are looked at in a layer.
const MAX_FILES: usize = 10_000;

/// The file that the specification of such images names.
const CUSTOMARY: &str = "plugin.wasm";

/// The files `*.wasm` of layers that lie one over the other, the lowest first.
#[derive(Debug, Default)]
pub(super) struct Files {
    found: BTreeMap<String, Vec<u8>>,
}

impl Files {
    /// Lays one more over them.
    pub(super) fn lay(&mut self, layer: &[u8]) -> Result<(), String> {
        let told = |error: io::Error| format!("a layer cannot be unpacked: {error}");
        let unpacked: Box<dyn Read + '_> = match layer {
            [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(layer)),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => {
                Box::new(zstd::stream::read::Decoder::new(layer).map_err(told)?)
            }
            _ => Box::new(layer),
        };
        let mut archive = tar::Archive::new(Bounded {
            inner: unpacked,
            left: MAX_UNPACKED,
        });
        for (count, entry) in archive.entries().map_err(told)?.enumerate() {
            if count >= MAX_FILES {
                return Err(format!("a layer holds more than {MAX_FILES} files"));
            }
            let mut entry = entry.map_err(told)?;
            let path = entry.path_bytes();
            let path = String::from_utf8_lossy(&path);
            let path = path
                .trim_start_matches("./")
                .trim_start_matches('/')
                .to_owned();
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
            if let Some(gone) = name.strip_prefix(".wh.") {
                let place = match folder {
                    "" => gone.to_owned(),
                    folder => format!("{folder}/{gone}"),
                };
                // `.wh..wh..opq` takes out all that was in the folder.
                let opaque = gone == ".wh..opq";
                self.found.retain(|known, _| match opaque {
                    true => !folder.is_empty() && !known.starts_with(&format!("{folder}/")),
                    false => *known != place && !known.starts_with(&format!("{place}/")),
                });
                continue;
            }
            if !path.ends_with(".wasm") || !entry.header().entry_type().is_file() {
                continue;
            }
            let mut bytes = vec![];
            let read = (&mut entry).take(MAX_COMPONENT + 1).read_to_end(&mut bytes);
            read.map_err(told)?;
            if bytes.len() as u64 > MAX_COMPONENT {
                return Err(format!("{path} has more than {MAX_COMPONENT} bytes"));
            }
            self.found.insert(path, bytes);
            if self.found.len() > 16 {
                return Err(
                    "it holds more than 16 WebAssembly files, and a plugin is one".to_owned(),
                );
            }
        }
        Ok(())
    }

    /// The only file, or the one that is customarily named so.
    pub(super) fn component(mut self) -> Result<Vec<u8>, String> {
        if let Some(bytes) = self.found.remove(CUSTOMARY) {
            return Ok(bytes);
        }
        let names: Vec<&str> = self.found.keys().map(String::as_str).collect();
        let names = names.join(", ");
        let mut files = self.found.into_values();
        match (files.next(), files.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err("no file of the image is called *.wasm".to_owned()),
            _ => Err(format!(
                "the image holds {names}, of which none is called {CUSTOMARY}: a plugin is one file"
            )),
        }
    }
}

/// Reads so many bytes, and then fails.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::other(format!("it unpacks to more than {MAX_UNPACKED} bytes"))
        })?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    pub(super) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(vec![]);
        for (name, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            // As it is written, so that a test can write what a sound archive would not hold.
            let place = &mut header.as_old_mut().name;
            place[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    fn component(layers: &[Vec<u8>]) -> Result<Vec<u8>, String> {
        let mut files = Files::default();
        for layer in layers {
            files.lay(layer)?;
        }
        files.component()
    }

    #[test]
    fn the_file_is_found_in_plain_and_packed_layers() {
        let plain = archive(&[("etc/passwd", b"x"), ("./acme.wasm", b"component")]);
        let packed = gzip(&plain);
        let other = zstd::bulk::compress(&plain, 1).unwrap();
        for layer in [plain, packed, other] {
            assert_eq!(component(&[layer]).unwrap(), b"component");
        }
        let both = archive(&[("plugin.wasm", b"one"), ("other.wasm", b"two")]);
        assert_eq!(component(&[both]).unwrap(), b"one");
    }

    #[test]
    fn a_layer_above_replaces_and_takes_away() {
        let below = archive(&[("a.wasm", b"old"), ("lib/b.wasm", b"b")]);
        let above = archive(&[("a.wasm", b"new"), ("lib/.wh.b.wasm", b"")]);
        assert_eq!(component(&[below.clone(), above]).unwrap(), b"new");
        let opaque = archive(&[("lib/.wh..wh..opq", b"")]);
        assert_eq!(component(&[below.clone(), opaque]).unwrap(), b"old");
        let error = component(&[below]).unwrap_err();
        assert!(error.contains("a.wasm, lib/b.wasm"), "{error}");
    }

    #[test]
    fn what_is_no_such_archive_is_refused() {
        let bomb = gzip(&vec![0; 600 << 20]);
        assert!(bomb.len() < 4 << 20);
        let many: Vec<(String, &[u8])> =
            (0..17).map(|at| (format!("{at}.wasm"), &b""[..])).collect();
        let many: Vec<(&str, &[u8])> = many
            .iter()
            .map(|(name, bytes)| (name.as_str(), *bytes))
            .collect();
        for (layer, reason) in [
            (archive(&[("readme", b"x")]), "no file of the image"),
            (archive(&many), "more than 16"),
            (b"\x1f\x8bnonsense".to_vec(), "cannot be unpacked"),
            (archive(&[("a.wasm", b"x")])[..600].to_vec(), ""),
            (bomb, ""),
        ] {
            let error = component(&[layer]).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
        // A name that leads out of the archive is a name like any other: nothing is written.
        assert_eq!(
            component(&[archive(&[("../../x.wasm", b"x")])]).unwrap(),
            b"x"
        );
    }
}
