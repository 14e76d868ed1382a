//! Pictures and sound that a model made: saved beside the text, and shown in terminals that can.
//!
//! Nothing of a file's name comes from a vendor but its ending, which is one of ours for the type of the bytes. What is
//! named here replaces no file; what the user names does.

use std::io;
use std::path::{Path, PathBuf};

use super::{Context, Failure, clock, foreign};
use multillm::chat::{ChatResponse, MediaPart, MediaSource, Part, ResultPart, media_summary};
use multillm::files::{self, Existing, Readers};

/// The most names that are tried for one file.
const MOST: usize = 1_000;
/// The largest picture that a terminal is given, in bytes.
const SHOWN: usize = 8 << 20;
/// Types, and the endings of their files; the first ending is the one that is written.
const ENDINGS: [(&str, &[&str]); 21] = [
    ("image/png", &["png"]),
    ("image/jpeg", &["jpg", "jpeg"]),
    ("image/gif", &["gif"]),
    ("image/webp", &["webp"]),
    ("image/bmp", &["bmp"]),
    ("image/avif", &["avif"]),
    ("image/heic", &["heic"]),
    ("image/svg+xml", &["svg"]),
    ("audio/wav", &["wav"]),
    ("audio/x-wav", &["wav"]),
    ("audio/mpeg", &["mp3"]),
    ("audio/mp3", &["mp3"]),
    ("audio/ogg", &["ogg"]),
    ("audio/opus", &["opus"]),
    ("audio/flac", &["flac"]),
    ("audio/aac", &["aac"]),
    ("audio/pcm", &["pcm"]),
    ("audio/l16", &["pcm"]),
    ("video/mp4", &["mp4"]),
    ("video/webm", &["webm"]),
    ("application/pdf", &["pdf"]),
];

/// A way to show a picture within a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    /// <https://sw.kovidgoyal.net/kitty/graphics-protocol/>; takes PNG.
    Kitty,
    /// <https://iterm2.com/documentation-images.html>; takes what the system can show.
    ITerm,
}

impl Screen {
    /// By what a terminal says of itself in the environment. Within a multiplexer nobody knows where it would be drawn.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        if is_set("TMUX") || is_set("STY") {
            return None;
        }
        let term = variable("TERM").unwrap_or_default();
        let program = variable("TERM_PROGRAM").unwrap_or_default();
        let kitty = is_set("KITTY_WINDOW_ID") || term.contains("kitty") || program == "ghostty";
        let iterm = ["iTerm.app", "WezTerm"].contains(&program.as_str())
            || variable("LC_TERMINAL").as_deref() == Some("iTerm2");
        match (kitty, iterm) {
            (true, _) => Some(Screen::Kitty),
            (false, true) => Some(Screen::ITerm),
            (false, false) => None,
        }
    }

    /// What draws a picture; nothing where this one cannot be drawn. Of the picture itself there is nothing in it but
    /// base64.
    pub(crate) fn drawing(self, data: &[u8]) -> Option<String> {
        use base64::Engine as _;
        let is_png = data.starts_with(b"\x89PNG\r\n\x1a\n");
        let is_picture = MediaPart::bytes(data.to_vec()).is_some();
        if data.len() > SHOWN || !is_picture || self == Screen::Kitty && !is_png {
            return None;
        }
        let text = base64::engine::general_purpose::STANDARD.encode(data);
        match self {
            Screen::ITerm => Some(format!(
                "\x1b]1337;File=inline=1;size={};preserveAspectRatio=1:{text}\x07\n",
                data.len()
            )),
            Screen::Kitty => {
                const PIECE: usize = 4096;
                let mut drawn = String::with_capacity(text.len() + text.len() / 64 + 64);
                let last = text.len().saturating_sub(1) / PIECE;
                for (at, piece) in text.as_bytes().chunks(PIECE).enumerate() {
                    let more = u8::from(at < last);
                    drawn += "\x1b_G";
                    match at {
                        // Shown at once; it answers nothing, or the answer would be taken for something typed.
                        0 => drawn += &format!("a=T,f=100,q=2,m={more}"),
                        _ => drawn += &format!("m={more}"),
                    }
                    drawn.push(';');
                    drawn += std::str::from_utf8(piece).unwrap_or_default();
                    drawn += "\x1b\\";
                }
                Some(drawn + "\n")
            }
        }
    }
}

/// A picture, recording or film with its bytes.
pub(super) struct Made<'a> {
    media: &'a MediaPart,
    data: &'a [u8],
}

/// What of an answer can be saved, in order.
pub(super) fn all(answer: &ChatResponse) -> Vec<Made<'_>> {
    let media = answer.parts.iter().flat_map(|part| match part {
        Part::Media(media) => vec![media],
        Part::ServerToolResult(result) => {
            let pieces = result.content.iter().filter_map(|piece| match piece {
                ResultPart::Media(media) => Some(media),
                ResultPart::Text { .. } | ResultPart::Opaque(_) => None,
            });
            pieces.collect()
        }
        _ => vec![],
    });
    media.filter_map(Made::of).collect()
}

/// The ending of a type's files.
fn ending(media_type: &str) -> &'static str {
    let kind = media_type.split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    let known = ENDINGS.iter().find(|(known, _)| *known == kind);
    known
        .and_then(|(_, endings)| endings.first())
        .copied()
        .unwrap_or("bin")
}

/// Whether a file of this name is for what a model makes, and not for its words.
pub(super) fn is_medium(path: &Path) -> bool {
    let found = path.extension().and_then(|found| found.to_str());
    let found = found.map(str::to_ascii_lowercase);
    found.is_some_and(|found| {
        let mut endings = ENDINGS.iter().flat_map(|(_, endings)| *endings);
        found != "pdf" && endings.any(|ending| *ending == found)
    })
}

impl<'a> Made<'a> {
    fn of(media: &'a MediaPart) -> Option<Self> {
        match &media.source {
            MediaSource::Bytes { data, .. } => Some(Made { media, data }),
            MediaSource::Url { .. } | MediaSource::File { .. } => None,
        }
    }

    /// The bytes.
    pub(super) fn data(&self) -> &[u8] {
        self.data
    }

    fn ending(&self) -> &'static str {
        ending(self.media.media_type().unwrap_or_default())
    }
}

/// Where files go whose names are made here.
pub(super) enum Beside<'a> {
    /// Beside the file of the text, by its name.
    File(&'a Path),
    /// In the working directory, by the time.
    Here,
}

/// Saves them for their owner alone, and shows them, if pictures are to be shown. The first is number `from` of its
/// answer.
pub(super) fn save(
    made: &[Made<'_>],
    from: usize,
    beside: &Beside<'_>,
    (context, shown): (&Context, bool),
) -> Result<(), Failure> {
    if made.is_empty() {
        return Ok(());
    }
    let stem = match beside {
        Beside::File(path) => path.with_extension(""),
        Beside::Here => {
            let now = jiff::Timestamp::now().to_zoned(clock::zone(context));
            PathBuf::from(now.strftime("answer-%Y%m%d-%H%M%S").to_string())
        }
    };
    for (number, one) in (from..).zip(made) {
        let path = put(&stem, number, one).map_err(|error| {
            let stem = stem.display();
            Failure::Usage(format!(
                "cannot save what the answer holds as {stem}: {error}"
            ))
        })?;
        told(&path, one, (context, shown));
    }
    Ok(())
}

/// Says where one was saved, and shows it.
pub(super) fn told(path: &Path, made: &Made<'_>, (context, shown): (&Context, bool)) {
    let size = media_summary(&[made.media.about()]);
    let size = foreign::line(&size.unwrap_or_default());
    context
        .printer
        .note(&format!("saved {size} as {}", path.display()));
    if shown {
        context.printer.picture(made.data);
    }
}

/// Writes one under the first name that is free.
fn put(stem: &Path, number: usize, made: &Made<'_>) -> io::Result<PathBuf> {
    for next in 0..MOST {
        let mut name = stem.as_os_str().to_owned();
        name.push(format!(
            "-{}.{}",
            number.saturating_add(next),
            made.ending()
        ));
        let path = PathBuf::from(name);
        match files::write(&path, made.data, Existing::Keep, Readers::Owner) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            done => return done.map(|()| path),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// What of an answer cannot be saved here, for a note: what stands at addresses, and in blocks of the vendor's own.
pub(super) fn elsewhere(answer: &ChatResponse) -> Vec<String> {
    let mut told = vec![];
    for part in &answer.parts {
        match part {
            Part::Media(media) => {
                let kind = media.media_type().unwrap_or("a file");
                match &media.source {
                    MediaSource::Url { url } => told.push(format!("{kind} at {url}")),
                    MediaSource::File { file_id } => {
                        told.push(format!("{kind} that the vendor keeps as {file_id}"));
                    }
                    MediaSource::Bytes { .. } => {}
                }
            }
            Part::Opaque(block) => {
                if let Some(media) = media_summary(&block.media()) {
                    told.push(format!(
                        "{media}, which is not shown here: --json prints it"
                    ));
                }
            }
            _ => {}
        }
    }
    told.iter().map(|line| foreign::line(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n....";

    #[test]
    fn nothing_of_a_vendors_is_in_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let stem = folder.path().join("answer");
        for (media_type, name) in [
            ("image/png", "answer-1.png"),
            ("IMAGE/PNG; x=1", "answer-2.png"),
            ("image/../../../etc/passwd", "answer-1.bin"),
            ("", "answer-2.bin"),
            ("audio/mpeg", "answer-1.mp3"),
        ] {
            let media = MediaPart::of_type(media_type, PNG);
            let made = Made::of(&media).unwrap();
            assert_eq!(put(&stem, 1, &made).unwrap(), folder.path().join(name));
        }
        let there = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(there, 5);
    }

    #[test]
    #[cfg(unix)]
    fn what_is_there_stays_and_what_is_new_is_the_owners() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let stem = folder.path().join("a");
        let target = folder.path().join("elsewhere");
        std::fs::write(folder.path().join("a-1.png"), "mine").unwrap();
        std::os::unix::fs::symlink(&target, folder.path().join("a-2.png")).unwrap();
        let media = MediaPart::of_type("image/png", PNG);
        let made = Made::of(&media).unwrap();
        let path = put(&stem, 1, &made).unwrap();
        assert_eq!(path, folder.path().join("a-3.png"));
        assert_eq!(
            std::fs::read(folder.path().join("a-1.png")).unwrap(),
            b"mine"
        );
        assert!(!target.exists());
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn terminals_are_told_by_what_they_say() {
        let of = |pairs: &[(&str, &str)]| {
            Screen::of(|name| {
                let found = pairs.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(&[("TERM", "xterm-256color")]), None);
        assert_eq!(of(&[("TERM", "xterm-kitty")]), Some(Screen::Kitty));
        assert_eq!(of(&[("TERM_PROGRAM", "ghostty")]), Some(Screen::Kitty));
        assert_eq!(of(&[("TERM_PROGRAM", "iTerm.app")]), Some(Screen::ITerm));
        assert_eq!(of(&[("LC_TERMINAL", "iTerm2")]), Some(Screen::ITerm));
        assert_eq!(of(&[("TERM", "xterm-kitty"), ("TMUX", "/tmp/x")]), None);
    }

    #[test]
    fn a_drawing_holds_nothing_but_base64_of_a_picture() {
        let large = [PNG, &[0x1b; 9000]].concat();
        let drawn = Screen::Kitty.drawing(&large).unwrap();
        assert!(drawn.starts_with("\x1b_Ga=T,f=100,q=2,m=1;"), "{drawn:?}");
        assert_eq!(drawn.matches("\x1b_G").count(), 3);
        assert_eq!(drawn.matches("m=0;").count(), 1);
        assert!(drawn.ends_with("\x1b\\\n"));
        let drawn = Screen::ITerm.drawing(b"GIF89a....").unwrap();
        assert_eq!(drawn.matches('\x1b').count(), 1);
        assert_eq!(Screen::Kitty.drawing(b"GIF89a...."), None);
        assert_eq!(Screen::ITerm.drawing(b"\x1b]0;owned\x07"), None);
        assert_eq!(
            Screen::Kitty.drawing(&[PNG, &vec![0; SHOWN]].concat()),
            None
        );
    }

    #[test]
    fn a_name_says_whether_a_file_is_for_a_picture() {
        for (name, expected) in [
            ("a.png", true),
            ("a.JPG", true),
            ("b.wav", true),
            ("a.md", false),
            ("a", false),
            ("a.pdf", false),
        ] {
            assert_eq!(is_medium(Path::new(name)), expected, "{name}");
        }
    }
}
