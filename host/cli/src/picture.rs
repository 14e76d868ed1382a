//! Pictures that go with a question: from files, standard input, `data:` URLs; by an address.

use std::io::{ErrorKind, IsTerminal as _, Read};

use super::place::Place;
use super::{Context, Failure, exif, input};
use multillm::bounded;
use multillm::chat::MediaPart;

/// The largest picture that is read, in bytes.
const MAX_IMAGE: u64 = 32 << 20;
/// The most of a place that is repeated in a message, in characters.
const SHOWN: usize = 60;

/// Standard input as a place.
const STDIN: &str = "-";

fn usage(message: impl Into<String>) -> Failure {
    Failure::Usage(message.into())
}

/// The pictures of an option that may be repeated.
pub(super) fn all(places: &[String], context: &Context) -> Result<Vec<MediaPart>, Failure> {
    let piped = places.iter().filter(|place| *place == STDIN);
    if piped.count() > 1 {
        return Err(usage(
            "--image - can be given once: standard input has one picture",
        ));
    }
    places.iter().map(|place| one(place, context)).collect()
}

/// Whether one of the pictures is what is piped in, which then is no part of the prompt.
pub(super) fn takes_stdin(places: &[String]) -> bool {
    places.iter().any(|place| place == STDIN)
}

/// The picture at a place.
pub(super) fn one(text: &str, context: &Context) -> Result<MediaPart, Failure> {
    let named = shortened(text);
    let data = match text {
        STDIN if std::io::stdin().is_terminal() => {
            return Err(usage("no picture is piped in: name its file in place of -"));
        }
        STDIN => bytes(std::io::stdin().lock(), "standard input")?,
        _ => match Place::of(text).map_err(|fault| usage(format!("the picture: {fault}")))? {
            Place::Web(url) => return Ok(MediaPart::url(url)),
            Place::Data(data) => data,
            Place::File(path) => {
                let failed = |error: std::io::Error| {
                    usage(format!("cannot read the picture {named}: {error}"))
                };
                if std::fs::metadata(&path).map_err(failed)?.is_dir() {
                    return Err(usage(format!(
                        "{named} is a directory: name a picture in it"
                    )));
                }
                bytes(std::fs::File::open(&path).map_err(failed)?, &named)?
            }
        },
    };
    let turned = exif::orientation(&data);
    let named = if text == STDIN {
        "standard input"
    } else {
        &named
    };
    let image = MediaPart::bytes(data).ok_or_else(|| {
        usage(format!(
            "{named} is no picture: PNG, JPEG, GIF, WebP, BMP, HEIC and AVIF are known"
        ))
    })?;
    if let Some(turned) = turned {
        context.printer.note(&format!(
            "note: {named} is stored {turned}, and a model may see it so: turn the picture itself to be sure"
        ));
    }
    Ok(image)
}

/// What can be read, up to the largest picture.
fn bytes(from: impl Read, named: &str) -> Result<Vec<u8>, Failure> {
    input::now_reading(named);
    bounded::bytes(from, MAX_IMAGE).map_err(|error| {
        usage(match error.kind() {
            ErrorKind::FileTooLarge => {
                format!("the picture {named} has more than {MAX_IMAGE} bytes: scale it down")
            }
            _ => format!("cannot read the picture {named}: {error}"),
        })
    })
}

/// A place as it is repeated in messages: a `data:` URL may have megabytes.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) if text.starts_with("data:") => {
            format!("{}…", text.get(..end).unwrap_or_default())
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_read_to_the_limit() {
        let Err(Failure::Usage(fault)) = bytes(std::io::repeat(0), "it") else {
            panic!("it was read");
        };
        assert!(fault.contains("scale it down"), "{fault}");
        assert_eq!(bytes(&b"abc"[..], "it").unwrap(), b"abc");
    }

    #[test]
    fn no_message_repeats_a_whole_data_url() {
        let long = format!("data:image/png;base64,{}", "A".repeat(1000));
        assert_eq!(shortened(&long).chars().count(), SHOWN + 1);
        assert_eq!(shortened("/a/b.png"), "/a/b.png");
    }
}
