//! Reading to a bound: what has no end, or more than anybody needs, is refused before it fills the
//! memory.
//!
//! Nothing here knows what is read. The bound holds for whatever the system calls a file: pipes,
//! devices and what grows while it is read say nothing of their length beforehand.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// Reads to the end.
///
/// # Errors
///
/// It cannot be read, or holds more than `limit` bytes: then with [`ErrorKind::FileTooLarge`].
pub fn bytes(from: impl Read, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![];
    from.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(Error::new(
            ErrorKind::FileTooLarge,
            format!("it holds more than {} MiB, or has no end", limit >> 20),
        ));
    }
    Ok(bytes)
}

/// A file's bytes.
///
/// # Errors
///
/// As [`bytes()`].
pub fn file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    bytes(File::open(path)?, limit)
}

/// A file's text.
///
/// # Errors
///
/// As [`bytes()`]; it is no UTF-8.
pub fn text(path: &Path, limit: u64) -> Result<String> {
    String::from_utf8(file(path, limit)?)
        .map_err(|_| Error::new(ErrorKind::InvalidData, "it is no UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_refused_at_the_bound() {
        let endless = bytes(std::io::repeat(b'x'), 1 << 20).unwrap_err();
        assert_eq!(endless.kind(), ErrorKind::FileTooLarge);
        assert_eq!(
            endless.to_string(),
            "it holds more than 1 MiB, or has no end"
        );
        assert_eq!(bytes(&b"abc"[..], 3).unwrap(), b"abc");
        assert!(bytes(&b"abcd"[..], 3).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_bounded_like_a_file() {
        let error = file(Path::new("/dev/zero"), 1000).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(text(Path::new("/dev/null"), 1000).unwrap(), "");
    }
}
