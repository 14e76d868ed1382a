//! Whose the history is: its user's alone. What people said is nobody else's business, and what
//! somebody else wrote is not read. Nothing here opens the database.

use std::io;
use std::path::Path;

/// Makes sure that nobody else may read or write a history that is there, with all files that
/// SQLite keeps beside it. Where only the mode is off it is put right.
///
/// # Errors
///
/// A file is no file or belongs to somebody else, with what to do.
#[cfg(unix)]
pub(super) fn secure(path: &Path) -> io::Result<()> {
    tighten(path, true)?;
    for end in ["-wal", "-shm", "-journal"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(end);
        tighten(Path::new(&beside), false)?;
    }
    tighten(&path.with_extension("lock"), false)
}

#[cfg(not(unix))]
pub(super) fn secure(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(there) if !there.is_file() => Err(io::Error::other("it is no file")),
        _ => Ok(()),
    }
}

/// One of the files. A user may have put the database elsewhere by a link, but by one of their own.
#[cfg(unix)]
fn tighten(path: &Path, may_be_link: bool) -> io::Result<()> {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let Ok(there) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    let own = rustix::process::geteuid().as_raw();
    let foreign = |owner: u32| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!(
                "{name} belongs to another user (uid {owner}, this is {own}), who could read or \
                 forge what is recorded: chown it, or move it away"
            ),
        )
    };
    if there.uid() != own {
        return Err(foreign(there.uid()));
    }
    let there = match there.is_symlink() {
        false => there,
        true if !may_be_link => return Err(io::Error::other("a file beside it is a link")),
        true => match fs::metadata(path) {
            Ok(target) if target.uid() != own => return Err(foreign(target.uid())),
            Ok(target) => target,
            Err(_) => return Ok(()),
        },
    };
    if !there.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mode = there.mode() & 0o7777;
    if mode & 0o077 != 0 {
        tracing::info!(path = %path.display(), "the history could be read or written by others");
        let closed = fs::set_permissions(path, fs::Permissions::from_mode(mode & !0o077));
        // What others may only read can still be read where nothing can be changed.
        if mode & 0o022 != 0 {
            closed?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn an_open_history_is_closed_and_a_foreign_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        secure(&path).unwrap();
        for (there, made) in [
            (0o666, 0o600),
            (0o644, 0o600),
            (0o444, 0o400),
            (0o600, 0o600),
        ] {
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(there)).unwrap();
            secure(&path).unwrap();
            assert_eq!(mode(&path), made);
            fs::remove_file(&path).unwrap();
        }
        fs::write(&path, "").unwrap();
        let beside = folder.path().join("history.db-wal");
        symlink("/etc/hostname", &beside).unwrap();
        secure(&path).unwrap_err();
        fs::remove_file(&beside).unwrap();
        fs::write(&beside, "").unwrap();
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o666)).unwrap();
        secure(&path).unwrap();
        assert_eq!(mode(&beside), 0o600);
        // Only root may give files away.
        for given in [&path, &beside] {
            if chown(given, Some(65_534), None).is_ok() {
                let refused = secure(&path).unwrap_err().to_string();
                assert!(refused.contains("another user"), "{refused}");
                chown(given, Some(0), None).unwrap();
            }
        }
        let elsewhere = folder.path().join("elsewhere.db");
        fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        secure(&path).unwrap();
    }

    #[test]
    fn what_is_no_file_is_said_to_be_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.db");
        fs::create_dir(&path).unwrap();
        assert!(secure(&path).unwrap_err().to_string().contains("no file"));
    }
}
