//! Comments in template files. What else is wrong with a file is said by who reads it.

/// The text with blanks in place of comments (`//` to the end of the line, `/* */`), so that everything
/// else stays where it is. A comment that is not closed stays, and is a fault of the text.
pub(super) fn blanked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut quoted = false;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            _ if quoted => 0,
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest
                .get(2..)
                .and_then(|inside| inside.find("*/"))
                .map_or(0, |end| end + 4),
            _ => 0,
        };
        let (comment, after) = rest.split_at_checked(length).unwrap_or(("", rest));
        out.extend(comment.chars().map(|c| if c == '\n' { c } else { ' ' }));
        rest = after;
        if length > 0 {
            continue;
        }
        let taken = match c {
            '\\' if quoted => rest.chars().take(2).map(char::len_utf8).sum(),
            _ => c.len_utf8(),
        };
        quoted ^= c == '"';
        let (kept, after) = rest.split_at_checked(taken).unwrap_or((rest, ""));
        out += kept;
        rest = after;
    }
    out
}
