//! Looking at images that came with a request: decodes base64, reads the type from the magic bytes and
//! the size from the header, so that an answer can tell what arrived. It never decodes pixels.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What an image's header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) media_type: &'static str,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Picture {
    /// As it is told in answers, e.g. `image/png 1x1`.
    pub(crate) fn describe(&self) -> String {
        format!("{} {}x{}", self.media_type, self.width, self.height)
    }
}

/// Why bytes were not taken for an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Not standard base64.
    Base64,
    /// Base64 of something that is no PNG, JPEG, GIF or WebP.
    Format,
}

/// Reads bare base64.
pub(crate) fn from_base64(text: &str) -> Result<Picture, Unreadable> {
    let bytes = STANDARD.decode(text).map_err(|_| Unreadable::Base64)?;
    sniff(&bytes).ok_or(Unreadable::Format)
}

/// Reads a `data:` URL: the declared type and what was found. `None` if it is no base64 `data:` URL.
pub(crate) fn from_data_url(url: &str) -> Option<(&str, Result<Picture, Unreadable>)> {
    let (declared, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some((declared, from_base64(data)))
}

/// Type and size from the first bytes.
pub(crate) fn sniff(bytes: &[u8]) -> Option<Picture> {
    png(bytes)
        .or_else(|| gif(bytes))
        .or_else(|| jpeg(bytes))
        .or_else(|| webp(bytes))
}

fn png(bytes: &[u8]) -> Option<Picture> {
    let rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let (width, height) = (be32(rest, 8)?, be32(rest, 12)?);
    Some(Picture {
        media_type: "image/png",
        width,
        height,
    })
}

fn gif(bytes: &[u8]) -> Option<Picture> {
    let rest = bytes
        .strip_prefix(b"GIF87a")
        .or_else(|| bytes.strip_prefix(b"GIF89a"))?;
    let (width, height) = (le16(rest, 0)?, le16(rest, 2)?);
    Some(Picture {
        media_type: "image/gif",
        width,
        height,
    })
}

fn jpeg(bytes: &[u8]) -> Option<Picture> {
    let mut at = bytes.starts_with(b"\xff\xd8\xff").then_some(2)?;
    loop {
        let marker = *bytes.get(at + 1)?;
        let is_frame = (0xc0..=0xcf).contains(&marker) && ![0xc4, 0xc8, 0xcc].contains(&marker);
        if is_frame {
            let (height, width) = (be16(bytes, at + 5)?, be16(bytes, at + 7)?);
            return Some(Picture {
                media_type: "image/jpeg",
                width,
                height,
            });
        }
        at += 2 + usize::try_from(be16(bytes, at + 2)?).ok()?;
    }
}

fn webp(bytes: &[u8]) -> Option<Picture> {
    let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12)? == b"WEBP";
    let kind = is_webp.then(|| bytes.get(12..16))??;
    let (width, height) = match kind {
        b"VP8 " => (le16(bytes, 26)? & 0x3fff, le16(bytes, 28)? & 0x3fff),
        b"VP8L" => {
            let bits = le16(bytes, 21)? | (le16(bytes, 23)? << 16);
            ((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1)
        }
        b"VP8X" => (le24(bytes, 24)? + 1, le24(bytes, 27)? + 1),
        _ => return None,
    };
    Some(Picture {
        media_type: "image/webp",
        width,
        height,
    })
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some((be16(bytes, at)? << 16) | be16(bytes, at + 2)?)
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    Some((u32::from(*bytes.get(at)?) << 8) | u32::from(*bytes.get(at + 1)?))
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(*bytes.get(at)?) | (u32::from(*bytes.get(at + 1)?) << 8))
}

fn le24(bytes: &[u8], at: usize) -> Option<u32> {
    Some(le16(bytes, at)? | (u32::from(*bytes.get(at + 2)?) << 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn png_gif_and_jpeg_give_their_size() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03";
        assert_eq!(sniff(png).unwrap().describe(), "image/png 2x3");
        assert_eq!(
            sniff(b"GIF89a\x05\0\x06\0").unwrap().describe(),
            "image/gif 5x6"
        );
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\0\x07\0\x09";
        assert_eq!(sniff(jpeg).unwrap().describe(), "image/jpeg 9x7");
    }

    #[test]
    fn other_bytes_are_no_image() {
        assert_eq!(sniff(b"hello"), None);
        assert_eq!(
            from_base64("data:image/png;base64,AAAA"),
            Err(Unreadable::Base64)
        );
        assert_eq!(from_base64("aGVsbG8="), Err(Unreadable::Format));
    }
}
