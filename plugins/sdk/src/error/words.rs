//! Where in an error its words stand.

use crate::json::Json;

/// The words of an error, wherever in it they stand. What a field is refused for is told with
/// its name.
pub(super) fn words(value: &Json<'_>) -> Option<String> {
    match value {
        Json::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Json::List(list) => {
            let texts: Vec<String> = list.iter().filter_map(words).collect();
            (!texts.is_empty()).then(|| texts.join("; "))
        }
        Json::Object(_) => {
            let told = [
                "message",
                "error",
                "detail",
                "msg",
                "errors",
                "status_msg",
                "error_msg",
                "error_message",
                "errorMessage",
                "err_msg",
                "errmsg",
                "Message",
                "base_resp",
                "header",
            ]
            .into_iter()
            .find_map(|key| words(value.get(key)?))?;
            Some(match field(value.get("loc")) {
                Some(field) if !told.contains(&field) => format!("{field}: {told}"),
                _ => told,
            })
        }
        _ => None,
    }
}

/// The field that a location names, as pydantic writes it: `["body", "messages", 0, "role"]`.
fn field(location: Option<&Json<'_>>) -> Option<String> {
    let location = match location? {
        Json::List(list) => list.as_slice(),
        text => std::slice::from_ref(text),
    };
    let names: Vec<String> = location
        .iter()
        .enumerate()
        .filter(|(at, step)| *at > 0 || step.str() != Some("body"))
        .map(|(_, step)| said(step))
        .collect();
    Some(names.join(".")).filter(|names| !names.is_empty())
}

/// A text as it is, anything else as JSON.
pub(super) fn said(value: &Json<'_>) -> String {
    value.str().map_or_else(|| value.to_string(), str::to_owned)
}
