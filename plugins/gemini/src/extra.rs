//! What an answer says beyond the contract: ratings, messages, probabilities, grounding, tokens by
//! kind, and the other candidates. Whatever is new is in it too.

use multillm_plugin_sdk::json::Json;

/// What the contract has a place for, of an event.
const OF_EVENT: [&str; 5] = [
    "candidates",
    "usageMetadata",
    "modelVersion",
    "responseId",
    "error",
];
/// Of the candidate that is the answer.
const OF_CANDIDATE: [&str; 3] = ["content", "finishReason", "index"];
/// What the counts say.
const OF_USAGE: [&str; 6] = [
    "promptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "toolUsePromptTokenCount",
    "cachedContentTokenCount",
    "totalTokenCount",
];
/// Lists of which each event of a stream has a piece.
const PIECES: [&str; 4] = ["topCandidates", "chosenCandidates", "urlMetadata", "parts"];

/// What was said so far.
#[derive(Default)]
pub(crate) struct Extra(Option<Json<'static>>);

impl Extra {
    /// Takes over what an event says, but of its candidates.
    pub(crate) fn event(&mut self, event: &Json<'_>) {
        self.add(event.beside(&OF_EVENT));
        let usage = event.get("usageMetadata");
        let usage = usage.and_then(|usage| usage.beside(&OF_USAGE));
        self.add(usage.map(|usage| Json::object([("usageMetadata", usage)])));
    }

    /// Takes over what the candidate says that is the answer.
    pub(crate) fn candidate(&mut self, candidate: &Json<'_>) {
        self.add(candidate.beside(&OF_CANDIDATE));
    }

    /// Keeps another candidate.
    pub(crate) fn other(&mut self, candidate: &Json<'_>) {
        const OTHERS: &str = "candidates";
        let known = self.0.get_or_insert_with(|| Json::object([]));
        let Json::Object(members) = known else { return };
        if !members.iter().any(|(key, _)| key == OTHERS) {
            members.push((OTHERS.into(), Json::List(Vec::new())));
        }
        let others = members.iter_mut().find(|(key, _)| key == OTHERS);
        let Some((_, Json::List(others))) = others else {
            return;
        };
        let index = candidate.get("index").and_then(Json::count);
        let same = |known: &&mut Json<'_>| known.get("index").and_then(Json::count) == index;
        match others.iter_mut().find(same) {
            Some(known) => gather(known, candidate.clone().into_owned()),
            None => others.push(candidate.clone().into_owned()),
        }
    }

    fn add(&mut self, more: Option<Json<'_>>) {
        let Some(more) = more.map(Json::into_owned) else {
            return;
        };
        match &mut self.0 {
            Some(known) => gather(known, more),
            none => *none = Some(more),
        }
    }

    /// All of it as JSON text.
    pub(crate) fn take(&mut self) -> Option<String> {
        self.0.take().map(|extra| extra.to_string())
    }
}

/// Merges what a later event says: objects key by key, pieces behind those before, anything else in
/// the place of what was said.
fn gather(known: &mut Json<'static>, more: Json<'static>) {
    let (Json::Object(known), Json::Object(more)) = (known, more) else {
        return;
    };
    for (key, value) in more {
        let old = known.iter_mut().find(|(name, _)| *name == key);
        match (old, value) {
            (None, value) => known.push((key, value)),
            (Some((_, Json::List(old))), Json::List(new)) if PIECES.contains(&&*key) => {
                old.extend(new);
            }
            (Some((_, old @ Json::Object(_))), value @ Json::Object(_)) => gather(old, value),
            (Some((_, old)), value) => *old = value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_place_elsewhere_is_gathered() {
        let mut extra = Extra::default();
        let json = |text| Json::parse(text).unwrap();
        extra.event(&json(
            r#"{"candidates":[],"modelVersion":"m","usageMetadata":{"promptTokenCount":1,"trafficType":"ON_DEMAND"},"createTime":"t"}"#,
        ));
        for piece in [
            r#"{"content":{},"index":0,"avgLogprobs":-0.5,"logprobsResult":{"chosenCandidates":[{"token":"a"}]},"safetyRatings":[{"p":1}]}"#,
            r#"{"content":{},"finishReason":"STOP","finishMessage":"done","logprobsResult":{"chosenCandidates":[{"token":"b"}]},"safetyRatings":[{"p":2}]}"#,
        ] {
            extra.candidate(&json(piece));
        }
        for piece in [
            r#"{"index":1,"content":{"parts":[{"text":"x"}]}}"#,
            r#"{"index":1,"content":{"parts":[{"text":"y"}]},"finishReason":"STOP"}"#,
        ] {
            extra.other(&json(piece));
        }
        assert_eq!(
            extra.take().unwrap(),
            r#"{"createTime":"t","usageMetadata":{"trafficType":"ON_DEMAND"},"avgLogprobs":-0.5,"logprobsResult":{"chosenCandidates":[{"token":"a"},{"token":"b"}]},"safetyRatings":[{"p":2}],"finishMessage":"done","candidates":[{"index":1,"content":{"parts":[{"text":"x"},{"text":"y"}]},"finishReason":"STOP"}]}"#
        );
        assert_eq!(extra.take(), None);
    }
}
