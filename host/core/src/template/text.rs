//! The text of a template: where its variables stand.

/// A piece of a template's text.
enum Piece<'a> {
    Text(&'a str),
    Variable(&'a str),
}

/// Cuts a text into what stands as it is and what stands for a value. `\{{` is a literal `{{`, and
/// `{{{{name}}}}` a literal `{{name}}`.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = vec![];
    let mut rest = text;
    // Where to look on: what stands before is text.
    let mut from = 0;
    while let Some(at) = rest
        .get(from..)
        .and_then(|rest| rest.find("{{"))
        .map(|at| from + at)
    {
        let (before, after) = rest.split_at(at);
        if let Some(before) = before.strip_suffix('\\') {
            pieces.push(Piece::Text(before));
            rest = after;
            from = 2;
            continue;
        }
        if let Some(length) = doubled(after) {
            pieces.push(Piece::Text(before));
            pieces.push(Piece::Text(after.get(2..length - 2).unwrap_or_default()));
            rest = after.get(length..).unwrap_or_default();
            from = 0;
            continue;
        }
        let inside = after.get(2..).unwrap_or_default();
        let name = inside.split_once("}}").map(|(name, _)| name);
        match name.filter(|name| is_name(name.trim())) {
            Some(name) => {
                pieces.push(Piece::Text(before));
                pieces.push(Piece::Variable(name.trim()));
                rest = inside.get(name.len() + 2..).unwrap_or_default();
                from = 0;
            }
            None => from = at + 1,
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// The length of a `{{{{name}}}}` at the beginning of a text.
fn doubled(text: &str) -> Option<usize> {
    let (name, _) = text.strip_prefix("{{{{")?.split_once("}}}}")?;
    is_name(name.trim()).then_some(name.len() + 8)
}

/// Letters of any script, digits, `_` and `-`; no digit first.
fn is_name(name: &str) -> bool {
    name.chars()
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

/// The names of the variables, as often as they appear.
pub(super) fn variables(text: &str) -> Vec<&str> {
    let names = pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Variable(name) => Some(name),
        Piece::Text(_) => None,
    });
    names.collect()
}

/// The text with values in place of the variables. What has no value is left out.
pub(super) fn fill<'a>(text: &'a str, value: impl Fn(&str) -> Option<&'a str>) -> String {
    let filled = pieces(text).into_iter().map(|piece| match piece {
        Piece::Text(text) => text,
        Piece::Variable(name) => value(name).unwrap_or_default(),
    });
    filled.collect()
}
