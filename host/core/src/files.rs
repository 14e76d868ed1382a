//! Files that are this user's alone, and files that are written without touching anything else.
//!
//! Nothing here knows what stands in them. On Unix a file is trusted if it belongs to whom this
//! process runs as and nobody else may write it; elsewhere the user's own folders are as private
//! as the system makes them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

pub use lock::lock;

mod lock;

/// What is done with a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and writing fails with [`io::ErrorKind::AlreadyExists`].
    Keep,
    /// It is replaced at once, whole.
    Replace,
}

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// Whom the system's rules for new files let (the umask).
    Usual,
    /// Its owner.
    Owner,
}

/// Writes a file whole or not at all. A link is never followed: what it points to is somebody
/// else's, as far as whoever named it here knows. Devices and pipes (`/dev/stdout`) are written
/// into if they may be replaced.
pub fn write(path: &Path, content: &[u8], existing: Existing, readers: Readers) -> io::Result<()> {
    if existing == Existing::Keep {
        return create(path, content, readers);
    }
    let mut out = Output::open(path, readers)?;
    out.write_all(content)?;
    out.finish()
}

/// A file that is being written. It takes its place, whole, when it is finished; what is dropped
/// before leaves nothing.
pub struct Output {
    file: File,
    /// Where it is until then, and where it belongs; nothing for what cannot be replaced.
    place: Option<(PathBuf, PathBuf)>,
}

impl Output {
    /// Begins to write. A link is never followed, but to devices and pipes (`/dev/stdout`), which are
    /// written into.
    pub fn open(path: &Path, readers: Readers) -> io::Result<Self> {
        let old = match fs::symlink_metadata(path) {
            Ok(old) => Some(old),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let is_link = old.as_ref().is_some_and(fs::Metadata::is_symlink);
        let target = match is_link {
            true => fs::metadata(path).ok(),
            false => old.clone(),
        };
        if target.is_some_and(|target| is_outlet(&target)) {
            let file = OpenOptions::new().write(true).open(path)?;
            return Ok(Output { file, place: None });
        }
        if is_link {
            return Err(linked(path));
        }
        if old.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let (file, temporary) = beside(path, readers)?;
        let out = Output {
            file,
            place: Some((temporary, path.to_owned())),
        };
        if let Some(old) = old {
            out.file.set_permissions(old.permissions())?;
        }
        Ok(out)
    }

    /// Puts it in its place.
    pub fn finish(mut self) -> io::Result<()> {
        match &self.place {
            Some((temporary, path)) => fs::rename(temporary, path)?,
            None => return Ok(()),
        }
        self.place = None;
        Ok(())
    }
}

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some((temporary, _)) = &self.place {
            let _ = fs::remove_file(temporary);
        }
    }
}

/// Replaces a private file, or makes it; whoever reads it meanwhile finds the one or the other.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut out = private(path)?;
    out.write_all(content)?;
    out.finish()
}

/// The same for what cannot be made again: it is on the disk before it takes its place.
pub fn write_lasting(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut out = private(path)?;
    out.write_all(content)?;
    out.file.sync_all()?;
    out.finish()
}

fn private(path: &Path) -> io::Result<Output> {
    let (file, temporary) = beside(path, Readers::Owner)?;
    Ok(Output {
        file,
        place: Some((temporary, path.to_owned())),
    })
}

/// Makes a directory, and those above it, for this user alone. One that is there is left as it is.
pub fn make_private_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// What stands in a file, if it is this user's alone to write. Nothing if it is not there.
///
/// What is judged is the open file, so that none takes its place meanwhile; a link is none.
///
/// # Errors
///
/// It cannot be read, or somebody else may write it: then with [`io::ErrorKind::PermissionDenied`].
pub fn read_private(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    read(path, most, fault)
}

/// The same, if it is this user's alone to read too.
///
/// # Errors
///
/// As [`read_private`]; also where somebody else may read it.
pub fn read_secret(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    read(path, most, |there| secret_fault(path, there))
}

fn read(
    path: &Path,
    most: u64,
    fault: impl Fn(&fs::Metadata) -> Option<String>,
) -> io::Result<Option<Vec<u8>>> {
    let mut options = OpenOptions::new();
    options.read(true);
    // A pipe of this name would be waited for.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        i32::try_from((rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits())
            .unwrap_or(0),
    );
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(_) if fs::symlink_metadata(path).is_ok_and(|there| there.is_symlink()) => {
            return Err(denied(path, "is a link"));
        }
        Err(error) => return Err(error),
    };
    let there = file.metadata()?;
    if !there.is_file() {
        return Err(denied(path, "is no file"));
    }
    if let Some(fault) = fault(&there) {
        return Err(denied(path, &fault));
    }
    let mut content = vec![];
    file.take(most.saturating_add(1))
        .read_to_end(&mut content)?;
    match content.len() as u64 > most {
        true => Err(io::Error::other(format!("{} is too large", path.display()))),
        false => Ok(Some(content)),
    }
}

/// Why a directory is not this user's alone to write.
pub fn directory_fault(directory: &Path) -> Option<String> {
    let shown = directory.display();
    match fs::symlink_metadata(directory) {
        Ok(there) if there.is_symlink() => Some(format!("{shown} is a link")),
        Ok(there) if !there.is_dir() => Some(format!("{shown} is no directory")),
        Ok(there) => fault(&there).map(|fault| format!("{shown} {fault}")),
        Err(error) => Some(format!("{shown}: {error}")),
    }
}

/// Why a file, if it is there, is not this user's alone to write.
pub fn file_fault(path: &Path) -> Option<String> {
    let shown = path.display();
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_symlink() => Some(format!("{shown} is a link")),
        Ok(there) if !there.is_file() => Some(format!("{shown} is no file")),
        Ok(there) => fault(&there).map(|fault| format!("{shown} {fault}")),
        Err(_) => None,
    }
}

/// Why a file's owner or mode lets somebody else write it.
#[cfg(unix)]
pub fn fault(there: &fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let open = there.mode() & 0o022 != 0;
    anothers(there).or_else(|| {
        open.then(|| {
            format!(
                "may be written by others (mode {:o}): chmod go-w",
                there.mode() & 0o7777
            )
        })
    })
}

/// Why somebody else may read or write a file.
#[cfg(unix)]
fn secret_fault(path: &Path, there: &fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let mode = there.mode() & 0o7777;
    anothers(there).or_else(|| {
        (mode & 0o077 != 0).then(|| {
            let path = path.display();
            format!("is open to others (mode {mode:o}): run chmod 600 {path}")
        })
    })
}

#[cfg(unix)]
fn anothers(there: &fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let (owner, own) = (there.uid(), rustix::process::geteuid().as_raw());
    (owner != own).then(|| format!("belongs to another user (uid {owner}, this is {own})"))
}

#[cfg(not(unix))]
pub fn fault(_there: &fs::Metadata) -> Option<String> {
    None
}

#[cfg(not(unix))]
fn secret_fault(_path: &Path, _there: &fs::Metadata) -> Option<String> {
    None
}

fn denied(path: &Path, fault: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        format!("{} {fault}", path.display()),
    )
}

fn linked(path: &Path) -> io::Error {
    let target = fs::read_link(path).unwrap_or_default();
    io::Error::other(format!(
        "it is a link to {}: name the file itself",
        target.display()
    ))
}

/// A device, a pipe or a socket: nothing that could be replaced.
fn is_outlet(there: &fs::Metadata) -> bool {
    !there.is_file() && !there.is_dir()
}

fn new_file(path: &Path, readers: Readers) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = readers;
    options.open(path)
}

/// Makes a file that is not there. Nothing of a failure is left.
fn create(path: &Path, content: &[u8], readers: Readers) -> io::Result<()> {
    let written = new_file(path, readers)?.write_all(content);
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// A new file in the same directory, under a name that nobody knows.
fn beside(path: &Path, readers: Readers) -> io::Result<(File, PathBuf)> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let temporary = directory.join(format!(
        ".{}-{:016x}",
        std::process::id(),
        fastrand::u64(..)
    ));
    Ok((new_file(&temporary, readers)?, temporary))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, text: &str, existing: Existing) -> io::Result<()> {
        write(path, text.as_bytes(), existing, Readers::Usual)
    }

    #[test]
    fn a_file_is_kept_or_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.txt");
        put(&file, "one", Existing::Keep).unwrap();
        let refused = put(&file, "two", Existing::Keep).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&file).unwrap(), "one");
        put(&file, "three", Existing::Replace).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "three");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        symlink(&target, &link).unwrap();
        for existing in [Existing::Keep, Existing::Replace] {
            put(&link, "x", existing).unwrap_err();
            assert!(!target.exists(), "a dangling link made a file");
        }
        fs::write(&target, "old").unwrap();
        let refused = put(&link, "x", Existing::Replace).unwrap_err().to_string();
        assert!(refused.contains("name the file itself"), "{refused}");
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
        let null = folder.path().join("null");
        symlink("/dev/null", &null).unwrap();
        put(&null, "x", Existing::Replace).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn what_others_may_write_is_not_read() {
        use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        assert!(read_private(&file, 9).unwrap().is_none());
        write_private(&file, b"mine").unwrap();
        assert_eq!(read_private(&file, 9).unwrap().unwrap(), b"mine");
        read_private(&file, 3).unwrap_err();
        let link = folder.path().join("link");
        symlink(&file, &link).unwrap();
        let refused = read_private(&link, 9).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o620)).unwrap();
        let refused = read_private(&file, 9).unwrap_err().to_string();
        assert!(refused.contains("chmod go-w"), "{refused}");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        // Only root may give files away.
        if chown(&file, Some(65_534), None).is_ok() {
            let refused = read_private(&file, 9).unwrap_err().to_string();
            assert!(refused.contains("another user"), "{refused}");
            let refused = read_secret(&file, 9).unwrap_err().to_string();
            assert!(refused.contains("another user"), "{refused}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_that_others_may_read_is_not_read() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        write_lasting(&file, b"mine").unwrap();
        assert_eq!(read_secret(&file, 9).unwrap().unwrap(), b"mine");
        for mode in [0o644, 0o640, 0o604, 0o602, 0o610, 0o777] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let refused = read_secret(&file, 9).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
            let fix = format!("chmod 600 {}", file.display());
            assert!(refused.to_string().ends_with(&fix), "{refused}");
        }
        // What takes its place is closed again.
        write_lasting(&file, b"new").unwrap();
        assert_eq!(read_secret(&file, 9).unwrap().unwrap(), b"new");
        let link = folder.path().join("link");
        symlink(&file, &link).unwrap();
        let refused = read_secret(&link, 9).unwrap_err().to_string();
        assert!(refused.ends_with("is a link"), "{refused}");
    }
}
