//! The versions in the names of imports and exports, written out.
//!
//! The component model is going to shorten `multillm:provider/chat@0.2.0` to `multillm:provider/chat@0.2`, with the
//! rest of the version beside the name or left out. The engine does not read that form yet: what is
//! inspected and compiled has its names in full.

use wasmparser::{
    BinaryReader, ComponentExportSectionReader, ComponentExternName, ComponentImportSectionReader,
    FromReader, Result, SectionLimited, WasmFeatures,
};

/// What a component begins with.
const PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";
/// The number of a section of imports.
const IMPORTS: u8 = 10;
/// The number of a section of exports.
const EXPORTS: u8 = 11;

/// The component with all versions in full: as it is where they are, or where it cannot be read.
pub(super) fn written_out(bytes: Vec<u8>) -> Vec<u8> {
    match rewritten(&bytes) {
        Ok(Some(full)) => full,
        Ok(None) | Err(_) => bytes,
    }
}

/// Nothing where there is nothing to do.
fn rewritten(bytes: &[u8]) -> Result<Option<Vec<u8>>> {
    let Some(sections) = bytes.strip_prefix(PREAMBLE) else {
        return Ok(None);
    };
    let mut out = PREAMBLE.to_vec();
    let mut changed = false;
    let mut reader = BinaryReader::new_features(sections, 0, features());
    while !reader.eof() {
        let start = reader.original_position();
        let id = reader.read_u8()?;
        let length = reader.read_var_u32()?;
        let content = reader.read_bytes(length as usize)?;
        let named = BinaryReader::new_features(content, 0, features());
        let content = match id {
            IMPORTS => in_full(content, ComponentImportSectionReader::new(named)?)?,
            EXPORTS => in_full(content, ComponentExportSectionReader::new(named)?)?,
            _ => None,
        };
        if let Some(content) = content {
            changed = true;
            out.push(id);
            push_number(&mut out, content.len());
            out.extend(content);
        } else {
            let whole = sections.get(start..reader.original_position());
            out.extend(whole.unwrap_or_default());
        }
    }
    Ok(changed.then_some(out))
}

/// The content of a section with its names in full; nothing where they are.
fn in_full<'a, T: FromReader<'a>>(
    content: &'a [u8],
    section: SectionLimited<'a, T>,
) -> Result<Option<Vec<u8>>> {
    let count = section.count();
    let starts = section.into_iter_with_offsets().map(|item| Ok(item?.0));
    let starts: Vec<usize> = starts.collect::<Result<_>>()?;
    let ends = starts.iter().skip(1).copied().chain([content.len()]);
    let mut out = vec![];
    push_number(&mut out, count as usize);
    let mut changed = false;
    for (start, end) in starts.iter().zip(ends) {
        let item = content.get(*start..end).unwrap_or_default();
        let mut reader = BinaryReader::new_features(item, 0, features());
        match full(&reader.read()?) {
            Some(name) => {
                changed = true;
                // No options follow the name.
                out.push(0);
                push_number(&mut out, name.len());
                out.extend(name.as_bytes());
                out.extend(item.get(reader.original_position()..).unwrap_or_default());
            }
            None => out.extend(item),
        }
    }
    Ok(changed.then_some(out))
}

/// A name whose version was shortened, with all of it.
fn full(name: &ComponentExternName<'_>) -> Option<String> {
    let (_, version) = name.name.split_once('@')?;
    if name.implements.is_some() || name.external_id.is_some() {
        return None;
    }
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let two = matches!(
        (numbers.next(), numbers.next(), numbers.next()),
        (Some(Ok(_)), Some(Ok(_)), None)
    );
    match name.version_suffix {
        Some(rest) => Some(format!("{}{rest}", name.name)),
        None => two.then(|| format!("{}.0", name.name)),
    }
}

fn features() -> WasmFeatures {
    WasmFeatures::default() | WasmFeatures::CM_CANON_NAMES
}

/// A number as lengths and counts are written.
fn push_number(out: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component that exports an instance of nothing under a name, which is written as these bytes.
    fn exporting(name: &[&[u8]]) -> Vec<u8> {
        let export = [&[1], name.concat().as_slice(), &[5, 0, 0]].concat();
        let mut bytes = [PREAMBLE, &[5, 3, 1, 1, 0], &[EXPORTS]].concat();
        push_number(&mut bytes, export.len());
        [bytes, export].concat()
    }

    fn text(tag: u8, name: &str) -> Vec<u8> {
        let length = u8::try_from(name.len()).unwrap();
        [&[tag, length], name.as_bytes()].concat()
    }

    fn is_valid(bytes: &[u8]) -> bool {
        let mut validator = wasmparser::Validator::new_with_features(WasmFeatures::default());
        validator.validate_all(bytes).is_ok()
    }

    #[test]
    fn a_version_in_two_pieces_or_cut_short_is_written_out() {
        let full = exporting(&[&text(0, "a:b/c@0.2.0")]);
        assert!(is_valid(&full));
        assert_eq!(written_out(full.clone()), full);
        let beside = exporting(&[&text(2, "a:b/c@0.2"), &[1, 1, 2], b".0"]);
        let nowhere = exporting(&[&text(0, "a:b/c@0.2")]);
        for short in [beside, nowhere] {
            assert!(!is_valid(&short));
            assert_eq!(written_out(short), full);
        }
        let later = exporting(&[&text(2, "a:b/c@0.2"), &[1, 1, 3], b".17"]);
        assert_eq!(written_out(later), exporting(&[&text(0, "a:b/c@0.2.17")]));
    }

    #[test]
    fn whatever_else_it_is_stays_as_it_is() {
        let short = exporting(&[&text(2, "a:b/c@0.2"), &[1, 1, 2], b".0"]);
        let mut others: Vec<Vec<u8>> = (0..short.len()).map(|end| short[..end].to_vec()).collect();
        others.extend([b"text".to_vec(), b"\0asm\x01\0\0\0".to_vec()]);
        let names = ["run", "a:b/c", "a:b/c@1", "a:b/c@x.y", "a:b/c@1.2.3"];
        others.extend(names.map(|name| exporting(&[&text(0, name)])));
        for other in others {
            assert_eq!(written_out(other.clone()), other);
        }
    }
}
