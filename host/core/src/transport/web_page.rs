//! Pages for a browser that come with a success: a login page, a documentation site, the front of the server
//! whose API stands elsewhere.

/// The most characters of a title that are kept.
const TITLE: usize = 80;
/// So far into a body its nature shows, in bytes.
const HEAD: usize = 2048;

/// A page for a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebPage {
    /// Its title, white space made single spaces.
    pub title: Option<String>,
}

/// The page that a body is, if it is one.
#[must_use]
pub fn web_page(body: &str) -> Option<WebPage> {
    let body = body.trim_start_matches('\u{feff}').trim_start();
    if !body.starts_with('<') {
        return None;
    }
    let head = body.get(..body.floor_char_boundary(HEAD)).unwrap_or(body);
    let lower = head.to_ascii_lowercase();
    let marks = [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<title",
        "<script",
    ];
    if !marks.iter().any(|mark| lower.contains(mark)) {
        return None;
    }
    let title = || {
        let start = lower.find("<title")?;
        let start = start + lower.get(start..)?.find('>')? + 1;
        let end = start + lower.get(start..)?.find('<')?;
        let words: Vec<&str> = head.get(start..end)?.split_whitespace().collect();
        let title: String = words.join(" ").chars().take(TITLE).collect();
        (!title.is_empty()).then_some(title)
    };
    Some(WebPage { title: title() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_told_from_answers() {
        let titled = |title: &str| {
            Some(WebPage {
                title: Some(title.to_owned()),
            })
        };
        let page = "\u{feff}\n<!DOCTYPE html><HTML><head><TITLE lang=x>\n Open\n WebUI </TITLE>";
        assert_eq!(web_page(page), titled("Open WebUI"));
        assert_eq!(web_page("<html>"), Some(WebPage { title: None }));
        assert_eq!(web_page("<!-- x --><body>"), Some(WebPage { title: None }));
        assert_eq!(
            web_page("<html><title></title>"),
            Some(WebPage { title: None })
        );
        let long = format!("<html><!--{}-->", "\u{e9}".repeat(3000));
        assert_eq!(web_page(&long), Some(WebPage { title: None }));
        for other in [
            "",
            "{\"a\":\"<html>\"}",
            "<?xml version=\"1.0\"?><Error/>",
            "data: <html>",
        ] {
            assert_eq!(web_page(other), None, "{other}");
        }
    }
}
