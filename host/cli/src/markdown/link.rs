//! Links: where one ends, and where it leads. A terminal that follows links shows the text and where it
//! leads to, by the name of the host; another one is shown the whole address. A text that
//! hides where it leads is not possible.

use std::ops::Range;

use url::Url;

/// The longest address that terminals are given (VTE takes 2083 bytes).
const LONGEST: usize = 2_083;
/// Schemes that a terminal may follow.
const FOLLOWED: [&str; 3] = ["http", "https", "mailto"];
/// What an address without marks around it begins with.
const BARE: [&str; 2] = ["https://", "http://"];

/// Whether the terminal follows links (OSC 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    Followed,
    Written,
}

/// A link in a text, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) text: Range<usize>,
    pub(super) target: Range<usize>,
    /// All of it, with its marks.
    pub(super) length: usize,
}

/// What stands at the beginning of a text that may be a link.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    Link(Found),
    /// What comes next decides.
    Open,
    /// So many bytes that are no link.
    Nothing(usize),
}

/// The link at a `[` or `![`. `whole`: nothing more comes.
pub(super) fn bracketed(marked: &str, whole: bool) -> Look {
    let start = usize::from(marked.starts_with('!'));
    let undecided = |bytes: usize| match whole {
        true => Look::Nothing(bytes),
        false => Look::Open,
    };
    match marked.as_bytes().get(start) {
        Some(b'[') => {}
        None => return undecided(start.max(1)),
        Some(_) => return Look::Nothing(start.max(1)),
    }
    let Some(close) = closing(marked, start, b'[', b']') else {
        return undecided(start + 1);
    };
    let open = close + 1;
    match marked.as_bytes().get(open) {
        Some(b'(') => {}
        None => return undecided(start + 1),
        Some(_) => return Look::Nothing(start + 1),
    }
    let Some(end) = closing(marked, open, b'(', b')') else {
        return undecided(start + 1);
    };
    Look::Link(Found {
        text: start + 1..close,
        target: target(marked, open + 1..end),
        length: end + 1,
    })
}

/// The mark that closes the one at a place; marks within are counted, escaped ones are not.
fn closing(text: &str, at: usize, open: u8, close: u8) -> Option<usize> {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (place, byte) in text.bytes().enumerate().skip(at) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            byte if byte == open => depth += 1,
            byte if byte == close => {
                depth -= 1;
                if depth == 0 {
                    return Some(place);
                }
            }
            _ => {}
        }
    }
    None
}

/// The address between parentheses: without angle brackets, and without a title behind it.
fn target(marked: &str, within: Range<usize>) -> Range<usize> {
    let inner = marked.get(within.clone()).unwrap_or_default();
    let start = within.start + inner.len() - inner.trim_start().len();
    let inner = inner.trim();
    if let Some(angle) = inner.strip_prefix('<')
        && let Some(end) = angle.find('>')
    {
        return start + 1..start + 1 + end;
    }
    let end = inner.find(char::is_whitespace).unwrap_or(inner.len());
    start..start + end
}

/// The address at a `<`.
pub(super) fn angled(marked: &str, whole: bool) -> Look {
    let rest = marked.get(1..).unwrap_or_default();
    let begins = |scheme: &&str| rest.starts_with(*scheme);
    let may_begin = |scheme: &&str| scheme.starts_with(rest);
    let mut schemes = BARE.iter().chain(&["mailto:"]);
    if !schemes.clone().any(begins) {
        return match !whole && schemes.any(may_begin) {
            true => Look::Open,
            false => Look::Nothing(1),
        };
    }
    match rest.find(|c: char| c == '>' || c == '<' || c.is_whitespace()) {
        Some(end) if rest.as_bytes().get(end) == Some(&b'>') => Look::Link(Found {
            text: 1..1 + end,
            target: 1..1 + end,
            length: end + 2,
        }),
        None if !whole => Look::Open,
        _ => Look::Nothing(1),
    }
}

/// Where an address without marks may begin: an `h` behind no letter.
pub(super) fn may_begin(rest: &str, before: Option<char>) -> bool {
    !before.is_some_and(char::is_alphanumeric)
        && BARE
            .iter()
            .any(|scheme| rest.starts_with(scheme) || scheme.starts_with(rest))
}

/// The address without marks at an `h`.
pub(super) fn bare(marked: &str, whole: bool) -> Look {
    let Some(scheme) = BARE.iter().find(|scheme| marked.starts_with(**scheme)) else {
        return match !whole && BARE.iter().any(|scheme| scheme.starts_with(marked)) {
            true => Look::Open,
            false => Look::Nothing(1),
        };
    };
    let ends = |c: char| {
        c.is_whitespace()
            || matches!(c, '<' | '>' | '"' | '`' | '|')
            || !c.is_ascii() && !c.is_alphanumeric()
    };
    let end = match marked.find(ends) {
        None if !whole => return Look::Open,
        end => end.unwrap_or(marked.len()),
    };
    let address = without_marks(marked.get(..end).unwrap_or_default());
    match address.len() > scheme.len() {
        true => Look::Link(Found {
            text: 0..address.len(),
            target: 0..address.len(),
            length: address.len(),
        }),
        false => Look::Nothing(scheme.len()),
    }
}

/// Without the marks at its end that belong to the sentence.
fn without_marks(mut address: &str) -> &str {
    loop {
        let count = |mark: char| address.matches(mark).count();
        let shorter = match address.chars().next_back() {
            Some('.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '_' | '~') => true,
            Some(')') => count(')') > count('('),
            Some(']') => count(']') > count('['),
            _ => false,
        };
        match shorter.then(|| address.get(..address.len() - 1)).flatten() {
            Some(rest) => address = rest,
            None => return address,
        }
    }
}

/// Where a link leads.
pub(super) struct Target {
    /// For a terminal that follows it: printable ASCII.
    pub(super) address: Option<String>,
    /// What is shown behind the text; nothing where the text says it.
    pub(super) shown: Option<String>,
}

impl Target {
    /// The target of a link with this text.
    pub(super) fn of(text: &str, target: &str, links: Links) -> Self {
        let url = Url::parse(target).ok();
        let url = url.filter(|url| links == Links::Followed && FOLLOWED.contains(&url.scheme()));
        let url = url.filter(|url| {
            url.as_str().len() <= LONGEST
                && url.as_str().bytes().all(|byte| byte.is_ascii_graphic())
        });
        let bare = |text: &str| {
            let text = text.trim();
            let text = text.split_once("://").map_or(text, |(_, rest)| rest);
            text.trim_start_matches("mailto:")
                .trim_end_matches('/')
                .to_owned()
        };
        let says = target.is_empty() || bare(text) == bare(target);
        Target {
            shown: match &url {
                _ if says => None,
                Some(url) => Some(host(url)),
                None => Some(target.to_owned()),
            },
            address: url.map(Into::into),
        }
    }
}

/// Who is asked by following an address.
fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => url.path().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text and target of the link that a text begins with, whole.
    fn found(look: Look, marked: &str) -> Option<(&str, &str, usize)> {
        match look {
            Look::Link(found) => Some((&marked[found.text], &marked[found.target], found.length)),
            _ => None,
        }
    }

    #[test]
    fn links_end_where_they_are_closed() {
        for (marked, text, target) in [
            ("[a](b)", "a", "b"),
            ("![a](<b c> \"t\")", "a", "b c"),
            ("[a [b] c]( u_(x) 't' )", "a [b] c", "u_(x)"),
            ("[a\\]](b)", "a\\]", "b"),
            ("[](b)", "", "b"),
            ("[a]()", "a", ""),
        ] {
            let all = format!("{marked} and on");
            let wanted = Some((text, target, marked.len()));
            assert_eq!(found(bracketed(&all, true), &all), wanted, "{marked}");
            for (at, _) in marked.char_indices().skip(1) {
                let begun = &marked[..at];
                assert_eq!(bracketed(begun, false), Look::Open, "{begun}");
                assert!(
                    matches!(bracketed(begun, true), Look::Nothing(_)),
                    "{begun}"
                );
            }
        }
        for none in ["[1] x", "[ ] x", "[a][b]", "!x", "[a] (b)"] {
            assert!(matches!(bracketed(none, false), Look::Nothing(_)), "{none}");
        }
    }

    #[test]
    fn addresses_end_with_their_last_letter() {
        for (text, address) in [
            ("https://a.org/x_y(z). Then", "https://a.org/x_y(z)"),
            ("https://a.org/x), and", "https://a.org/x"),
            ("http://a.org，然后", "http://a.org"),
            ("https://a.org/\"", "https://a.org/"),
        ] {
            assert_eq!(found(bare(text, false), text).map(|it| it.0), Some(address));
        }
        assert_eq!(bare("htt", false), Look::Open);
        assert_eq!(bare("https://a", false), Look::Open);
        assert_eq!(bare("hello", false), Look::Nothing(1));
        assert_eq!(bare("https:// x", true), Look::Nothing(8));
        let text = "<https://a.org/> x";
        assert_eq!(
            found(angled(text, false), text).map(|it| (it.0, it.2)),
            Some(("https://a.org/", 16))
        );
        assert_eq!(angled("<ht", false), Look::Open);
        assert_eq!(angled("<b>", false), Look::Nothing(1));
        assert_eq!(angled("<https://a b>", false), Look::Nothing(1));
    }

    #[test]
    fn nothing_hides_where_it_leads() {
        let of = |text: &str, target: &str| {
            let target = Target::of(text, target, Links::Followed);
            (target.address, target.shown)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            of("docs", "https://a.org/x"),
            (some("https://a.org/x"), some("a.org"))
        );
        assert_eq!(
            of("https://bank.org", "https://bank.org@evil.org:81/"),
            (some("https://bank.org@evil.org:81/"), some("evil.org:81"))
        );
        assert_eq!(
            of("a.org", "https://a.org/"),
            (some("https://a.org/"), None)
        );
        assert_eq!(
            of("me", "mailto:a@b.org"),
            (some("mailto:a@b.org"), some("a@b.org"))
        );
        for bad in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "ssh://x",
            "../x",
            "x-scheme:y",
        ] {
            assert_eq!(of("t", bad), (None, some(bad)));
        }
        let (address, shown) = of("t", "https://xn--a.ru/ä b\u{202e}");
        assert!(address.is_none_or(|address| address.bytes().all(|byte| byte.is_ascii_graphic())));
        assert!(shown.is_some());
        assert_eq!(
            of("t", &format!("https://a.org/{}", "x".repeat(3_000))).0,
            None
        );
        let written = Target::of("docs", "https://a.org/x", Links::Written);
        assert_eq!(
            (written.address, written.shown),
            (None, some("https://a.org/x"))
        );
    }
}
