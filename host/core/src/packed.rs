//! What a program brings along is packed by Zstandard: by itself, or against something that resembles it and
//! is there as well, of which it then says where it differs.

use std::io;

use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, DCtx, get_error_name, get_frame_content_size};

/// How much time is spent on size: it is packed once, and unpacked whenever it is used.
const LEVEL: i32 = 22;
/// How far back what is packed may point, in powers of two: over all of what it is packed against.
const WINDOW: u32 = 23;
/// The most bytes that anything unpacks to: many times those of the largest component.
const MOST: u64 = 1 << 30;

/// Packs bytes, against others if some are given.
///
/// # Errors
///
/// Zstandard has none for bytes in memory but for want of memory.
pub fn pack(bytes: &[u8], like: &[u8]) -> io::Result<Vec<u8>> {
    let mut packer = Compressor::new(LEVEL)?;
    packer.set_parameter(CParameter::WindowLog(WINDOW))?;
    refer(packer.context_mut().ref_prefix(like))?;
    packer.compress(bytes)
}

/// What [`pack`] was given. `like` is what it was packed against, packed by itself; empty if by itself.
pub(crate) fn unpack(packed: &[u8], like: &[u8]) -> io::Result<Vec<u8>> {
    let like = match like.is_empty() {
        true => vec![],
        false => unpack(like, &[])?,
    };
    // At once, to where it is wanted: a stream would hold as much again.
    let size = get_frame_content_size(packed).ok().flatten();
    let size = size
        .filter(|size| *size <= MOST)
        .and_then(|size| usize::try_from(size).ok());
    let size = size.ok_or_else(|| io::Error::other("it does not say how large it is"))?;
    let mut context = DCtx::create();
    refer(context.ref_prefix(&like))?;
    let mut bytes = Vec::with_capacity(size);
    let unpacked = context.decompress(&mut bytes, packed);
    unpacked.map_err(|code| io::Error::other(get_error_name(code)))?;
    Ok(bytes)
}

fn refer(done: Result<usize, usize>) -> io::Result<()> {
    done.map(drop)
        .map_err(|_| io::Error::other("nothing can be packed against it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_against_another_says_where_it_differs() {
        let one: Vec<u8> = (0..200_000_u32)
            .flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes())
            .collect();
        let mut other = one.clone();
        other.splice(400_000..400_010, *b"different");
        let (alone, against) = (pack(&one, &[]).unwrap(), pack(&other, &one).unwrap());
        assert!(
            against.len() * 100 < alone.len(),
            "{} {}",
            against.len(),
            alone.len()
        );
        assert_eq!(unpack(&alone, &[]).unwrap(), one);
        assert_eq!(unpack(&against, &alone).unwrap(), other);
    }

    #[test]
    fn what_is_damaged_or_packed_against_something_else_is_an_error_or_other_bytes() {
        let (one, other) = (
            b"one thing and another".repeat(9),
            b"one thing and the other".repeat(9),
        );
        let packed = pack(&other, &one).unwrap();
        assert!(unpack(packed.get(..packed.len() / 2).unwrap(), &[]).is_err());
        assert!(unpack(b"no frame at all", &[]).is_err());
        let wrong = pack(b"nothing like it", &[]).unwrap();
        assert!(unpack(&packed, &wrong).ok() != Some(other));
    }
}
