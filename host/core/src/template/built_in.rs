//! The templates that come with the program. A file of the same name in the directory of templates
//! goes before.

/// Name and text.
const ALL: [(&str, &str); 7] = [
    (
        "code_review",
        include_str!("../../../../configs/templates/code_review.json"),
    ),
    (
        "creative_writing",
        include_str!("../../../../configs/templates/creative_writing.json"),
    ),
    (
        "customer_support",
        include_str!("../../../../configs/templates/customer_support.json"),
    ),
    (
        "data_analysis",
        include_str!("../../../../configs/templates/data_analysis.json"),
    ),
    (
        "sql",
        include_str!("../../../../configs/templates/sql.json"),
    ),
    (
        "summary",
        include_str!("../../../../configs/templates/summary.json"),
    ),
    (
        "translation",
        include_str!("../../../../configs/templates/translation.json"),
    ),
];

/// Their names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(name, _)| *name)
}

/// The text of the one of this name.
pub(super) fn text(name: &str) -> Option<&'static str> {
    ALL.iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}
