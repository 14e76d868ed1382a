//! The bill of materials, in CycloneDX 1.5: which packages are in the program, at which version, under which
//! licence, with the digest that the lock file holds them to.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::parts::{Id, Part};

/// What the bill is of.
pub(super) struct Subject<'text> {
    pub(super) name: &'text str,
    pub(super) version: &'text str,
    pub(super) licence: &'text str,
    pub(super) target: &'text str,
    pub(super) commit: &'text str,
    /// When that was made, such as `2026-01-31T12:00:00Z`.
    pub(super) moment: &'text str,
}

/// The document. The same parts of the same commit give the same one.
pub(super) fn of(subject: &Subject<'_>, parts: &[Part]) -> String {
    let own = format!("pkg:cargo/{}@{}", subject.name, subject.version);
    let components: Vec<Value> = parts.iter().map(component).collect();
    let mut dependencies: Vec<Value> = parts
        .iter()
        .map(|part| {
            let needs: Vec<String> = part.needs.iter().map(reference).collect();
            json!({ "ref": reference(&part.id), "dependsOn": needs })
        })
        .collect();
    let all: Vec<String> = parts
        .iter()
        .filter(|part| part.own)
        .map(|part| reference(&part.id))
        .collect();
    dependencies.insert(0, json!({ "ref": own, "dependsOn": all }));
    let mut bill = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": subject.moment,
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": subject.name,
                "version": subject.version,
                "purl": own,
                "licenses": [{ "expression": subject.licence }],
                "properties": [
                    { "name": "multillm:target", "value": subject.target },
                    { "name": "multillm:commit", "value": subject.commit },
                ],
            },
        },
        "components": components,
        "dependencies": dependencies,
    });
    let serial = serial_number(&bill.to_string());
    if let Some(bill) = bill.as_object_mut() {
        bill.insert("serialNumber".to_owned(), Value::String(serial));
    }
    format!("{bill:#}\n")
}

/// A UUID that is made of what the bill says (version 8 of the standard: by a rule of one's own).
fn serial_number(content: &str) -> String {
    let digest = Sha256::digest(content);
    let marked = digest
        .iter()
        .take(16)
        .enumerate()
        .map(|(at, byte)| match at {
            6 => byte & 0x0f | 0x80,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        });
    let digits = hex::encode(marked.collect::<Vec<u8>>());
    let mut groups = Vec::new();
    let mut rest = digits.as_str();
    for length in [8, 4, 4, 4, 12] {
        let (group, after) = rest.split_at(length);
        groups.push(group);
        rest = after;
    }
    format!("urn:uuid:{}", groups.join("-"))
}

fn component(part: &Part) -> Value {
    let reference = reference(&part.id);
    let mut component = json!({
        "type": "library",
        "bom-ref": reference,
        "name": part.id.name,
        "version": part.id.version,
        "purl": reference,
        "licenses": [{ "expression": part.licence }],
    });
    let Some(object) = component.as_object_mut() else {
        return component;
    };
    if let Some(checksum) = &part.checksum {
        let hashes = json!([{ "alg": "SHA-256", "content": checksum }]);
        object.insert("hashes".to_owned(), hashes);
    }
    if let Some(url) = &part.repository {
        let references = json!([{ "type": "vcs", "url": url }]);
        object.insert("externalReferences".to_owned(), references);
    }
    component
}

/// The package URL, which is also its reference in the bill.
fn reference(id: &Id) -> String {
    // The one character of semantic versions that means something else in a URL.
    format!("pkg:cargo/{}@{}", id.name, id.version.replace('+', "%2B"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use super::*;

    fn part(name: &str, own: bool, needs: &[&str]) -> Part {
        let id = |name: &str| Id {
            name: name.to_owned(),
            version: "1.0.0+x".to_owned(),
        };
        Part {
            id: id(name),
            own,
            licence: "MIT OR Apache-2.0".to_owned(),
            authors: vec![],
            repository: (!own).then(|| "https://x.example/r".to_owned()),
            checksum: (!own).then(|| "ab".repeat(32)),
            folder: PathBuf::new(),
            needs: needs.iter().map(|name| id(name)).collect(),
        }
    }

    #[test]
    fn a_bill_names_every_part_once_and_refers_only_to_what_it_names() {
        let subject = Subject {
            name: "tool",
            version: "0.1.0",
            licence: "MIT",
            target: "x86_64-unknown-linux-musl",
            commit: "0123456789abcdef0123456789abcdef01234567",
            moment: "2026-01-31T12:00:00Z",
        };
        let parts = [part("app", true, &["lib"]), part("lib", false, &[])];
        let text = of(&subject, &parts);
        assert_eq!(text, of(&subject, &parts), "the same each time");
        let bill: Value = serde_json::from_str(&text).expect("JSON");
        let texts = |pointer: &str, member: &str| -> Vec<String> {
            let list = bill.pointer(pointer).and_then(Value::as_array);
            let texts = list
                .into_iter()
                .flatten()
                .filter_map(|item| item.get(member)?.as_str());
            texts.map(str::to_owned).collect()
        };
        let named = texts("/components", "bom-ref");
        assert_eq!(
            named,
            ["pkg:cargo/app@1.0.0%2Bx", "pkg:cargo/lib@1.0.0%2Bx"]
        );
        let mut known: BTreeSet<String> = named.into_iter().collect();
        known.insert("pkg:cargo/tool@0.1.0".to_owned());
        assert_eq!(
            texts("/dependencies", "ref")
                .into_iter()
                .collect::<BTreeSet<_>>(),
            known
        );
        let serial = bill
            .pointer("/serialNumber")
            .and_then(Value::as_str)
            .expect("one");
        let marks: Vec<Option<char>> = [9 + 14, 9 + 19].map(|at| serial.chars().nth(at)).to_vec();
        assert_eq!(serial.len(), 9 + 36);
        assert!(
            matches!(marks.as_slice(), [Some('8'), Some('8' | '9' | 'a' | 'b')]),
            "{serial}"
        );
    }
}
