//! How a picture is stored: cameras write it as the sensor stood and note how to turn it (EXIF 2.32,
//! 4.6.4, tag 0x0112), which not every vendor heeds. No other field is read.

/// The tag of the orientation.
const ORIENTATION: u16 = 0x0112;

/// How the picture is stored, if not upright: `turned by 90°`, `mirrored`. Knows JPEG, PNG and
/// WebP; other formats turn a picture by other means, which decoders heed.
pub(super) fn orientation(picture: &[u8]) -> Option<&'static str> {
    let notes = if picture.starts_with(b"\xff\xd8") {
        in_jpeg(picture)
    } else if picture.starts_with(b"\x89PNG\r\n\x1a\n") {
        in_png(picture)
    } else if picture.starts_with(b"RIFF") {
        in_webp(picture)
    } else {
        None
    }?;
    Some(match value(notes)? {
        2 => "mirrored",
        3 => "upside down",
        4 => "upside down and mirrored",
        5 | 7 => "turned by 90° and mirrored",
        6 | 8 => "turned by 90°",
        _ => return None,
    })
}

fn in_jpeg(picture: &[u8]) -> Option<&[u8]> {
    let mut rest = picture.get(2..)?;
    loop {
        let [0xff, marker, high, low, behind @ ..] = rest else {
            return None;
        };
        match marker {
            // Bytes that fill up.
            0xff => {
                rest = rest.get(1..)?;
                continue;
            }
            // The picture itself begins or ends.
            0xda | 0xd9 => return None,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes([*high, *low])).checked_sub(2)?;
        let segment = behind.get(..length)?;
        if let (0xe1, Some(notes)) = (marker, segment.strip_prefix(b"Exif\0\0")) {
            return Some(notes);
        }
        rest = behind.get(length..)?;
    }
}

fn in_png(picture: &[u8]) -> Option<&[u8]> {
    let mut rest = picture.get(8..)?;
    loop {
        let length = usize::try_from(u32::from_be_bytes(*rest.first_chunk()?)).ok()?;
        let name = rest.get(4..8)?;
        let chunk = rest.get(8..)?.get(..length)?;
        if name == b"eXIf" {
            return Some(chunk);
        }
        rest = rest.get(8..)?.get(length..)?.get(4..)?;
    }
}

fn in_webp(picture: &[u8]) -> Option<&[u8]> {
    let mut rest = picture.get(12..)?;
    loop {
        let name = rest.get(..4)?;
        let length = u32::from_le_bytes(*rest.get(4..)?.first_chunk()?);
        let length = usize::try_from(length).ok()?;
        let chunk = rest.get(8..)?.get(..length)?;
        if name == b"EXIF" {
            return Some(chunk.strip_prefix(b"Exif\0\0").unwrap_or(chunk));
        }
        rest = rest.get(8..)?.get(length + length % 2..)?;
    }
}

/// The orientation in notes, which have the form of a TIFF file.
fn value(notes: &[u8]) -> Option<u16> {
    let little = match notes.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = *notes.get(at..)?.first_chunk()?;
        Some(match little {
            true => u16::from_le_bytes(bytes),
            false => u16::from_be_bytes(bytes),
        })
    };
    let long = |at: usize| {
        let bytes = *notes.get(at..)?.first_chunk()?;
        let value = match little {
            true => u32::from_le_bytes(bytes),
            false => u32::from_be_bytes(bytes),
        };
        usize::try_from(value).ok()
    };
    let directory = long(4)?;
    let entries = usize::from(short(directory)?);
    let mut fields = (0..entries).map(|entry| directory + 2 + 12 * entry);
    let field = fields.find(|field| short(*field) == Some(ORIENTATION))?;
    short(field + 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes of one field, in either byte order.
    fn notes(orientation: u16, little: bool) -> Vec<u8> {
        let mut notes = if little { b"II*\0" } else { b"MM\0*" }.to_vec();
        let mut put = |value: u32, bytes: usize| {
            let all = match little {
                true => value.to_le_bytes(),
                false => value.to_be_bytes(),
            };
            let from = if little { 0 } else { 4 - bytes };
            notes.extend_from_slice(&all[from..from + bytes]);
        };
        put(8, 4);
        put(1, 2);
        put(u32::from(ORIENTATION), 2);
        put(3, 2);
        put(1, 4);
        put(u32::from(orientation), 2);
        put(0, 2);
        put(0, 4);
        notes
    }

    fn jpeg(notes: &[u8]) -> Vec<u8> {
        let mut picture = b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xe1".to_vec();
        let length = u16::try_from(notes.len() + 8).unwrap();
        picture.extend(length.to_be_bytes());
        picture.extend(b"Exif\0\0");
        picture.extend(notes);
        picture.extend(b"\xff\xda\0\x02data");
        picture
    }

    fn png(notes: &[u8]) -> Vec<u8> {
        let mut picture = b"\x89PNG\r\n\x1a\n\0\0\0\0IHDR....".to_vec();
        picture.extend(u32::try_from(notes.len()).unwrap().to_be_bytes());
        picture.extend(b"eXIf");
        picture.extend(notes);
        picture.extend(b"....\0\0\0\0IEND....");
        picture
    }

    fn webp(notes: &[u8]) -> Vec<u8> {
        let mut picture = b"RIFF....WEBPVP8X\x01\0\0\0..".to_vec();
        picture.extend(b"EXIF");
        picture.extend(u32::try_from(notes.len()).unwrap().to_le_bytes());
        picture.extend(notes);
        picture
    }

    #[test]
    fn a_turned_picture_is_known_in_each_format() {
        for little in [true, false] {
            for wrap in [jpeg, png, webp] {
                assert_eq!(orientation(&wrap(&notes(1, little))), None);
                assert_eq!(orientation(&wrap(&notes(3, little))), Some("upside down"));
                assert_eq!(orientation(&wrap(&notes(6, little))), Some("turned by 90°"));
                assert_eq!(orientation(&wrap(&notes(900, little))), None);
            }
        }
    }

    #[test]
    fn a_picture_cut_anywhere_is_no_trouble() {
        for wrap in [jpeg, png, webp] {
            let whole = wrap(&notes(6, true));
            for end in 0..whole.len() {
                let _ = orientation(&whole[..end]);
            }
        }
        assert_eq!(orientation(b"GIF89a"), None);
    }
}
