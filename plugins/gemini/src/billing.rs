//! What an answer cost beyond its tokens, or instead of their plain price.
//!
//! Prices: <https://ai.google.dev/gemini-api/docs/pricing>.

use multillm_plugin_sdk::Usage;
use multillm_plugin_sdk::json::Json;

use crate::wire;

/// What was seen so far. Counts of a later event stand instead of earlier ones.
#[derive(Default)]
pub(crate) struct Extras {
    tier: Option<String>,
    /// Searches that the model made on the web.
    searches: u64,
    maps: bool,
    /// Tokens of kinds that have a price of their own.
    heard: u64,
    drawn: u64,
    spoken: u64,
    filmed: u64,
}

impl Extras {
    /// Reads `usageMetadata`: the service level, and tokens by kind. Pictures and films that are
    /// read cost what text does; sound does not, and neither does what a model makes that is no text.
    pub(crate) fn metadata(&mut self, metadata: &Json<'_>) {
        for field in ["trafficType", "serviceTier"] {
            if let Some(tier) = wire::word(metadata, field).filter(|tier| !is_plain(tier)) {
                self.tier = Some(tier.into_owned());
            }
        }
        let prompt = ["promptTokensDetails", "toolUsePromptTokensDetails"];
        let heard = prompt.map(|field| tokens(metadata, field, "AUDIO"));
        self.heard = self.heard.max(heard.iter().sum());
        for (kind, made) in [
            ("IMAGE", &mut self.drawn),
            ("AUDIO", &mut self.spoken),
            ("VIDEO", &mut self.filmed),
        ] {
            *made = (*made).max(tokens(metadata, "candidatesTokensDetails", kind));
        }
    }

    /// Reads what a candidate says of searches.
    pub(crate) fn candidate(&mut self, candidate: &Json<'_>) {
        let Some(grounding) = candidate.get("groundingMetadata") else {
            return;
        };
        let queries = ["webSearchQueries", "imageSearchQueries"]
            .map(|field| grounding.get(field).map_or(0, |list| list.list().len()));
        let chunks = grounding.get("groundingChunks").map_or(&[][..], Json::list);
        let web = chunks.iter().any(|chunk| chunk.get("web").is_some());
        let made = queries.iter().sum::<usize>().max(web.into());
        let made = u64::try_from(made).unwrap_or(u64::MAX);
        self.searches = self.searches.max(made);
        self.maps |= chunks.iter().any(|chunk| chunk.get("maps").is_some());
    }

    /// Adds it to the counts of tokens.
    pub(crate) fn bill(&self, usage: &mut Usage) {
        usage.tier.clone_from(&self.tier);
        for (name, count) in [
            ("prompt-audio-tokens", self.heard),
            ("completion-image-tokens", self.drawn),
            ("completion-audio-tokens", self.spoken),
            ("completion-video-tokens", self.filmed),
            ("web-searches", self.searches),
        ] {
            usage.count(name, count);
        }
        if self.maps {
            usage.unpriced("grounding with maps");
        }
    }
}

/// Whether this is the level whose prices everybody knows, by its word or its number.
fn is_plain(tier: &str) -> bool {
    let tier = tier.to_ascii_uppercase();
    matches!(
        tier.as_str(),
        "ON_DEMAND" | "STANDARD" | "DEFAULT" | "UNSPECIFIED" | "0" | "1"
    ) || tier.ends_with("_UNSPECIFIED")
}

/// The tokens of a kind in a list such as `promptTokensDetails`.
fn tokens(metadata: &Json<'_>, list: &str, kind: &str) -> u64 {
    let counts = metadata.get(list).map_or(&[][..], Json::list).iter();
    counts
        .filter(|count| {
            wire::word(count, "modality").is_some_and(|word| word.eq_ignore_ascii_case(kind))
        })
        .filter_map(|count| count.get("tokenCount")?.count())
        .fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn billing(metadata: &[&str], candidates: &[&str]) -> Usage {
        let mut extras = Extras::default();
        for text in metadata {
            extras.metadata(&Json::parse(text).unwrap());
        }
        for text in candidates {
            extras.candidate(&Json::parse(text).unwrap());
        }
        let mut usage = Usage::UNKNOWN;
        extras.bill(&mut usage);
        usage
    }

    #[test]
    fn the_usual_level_and_kinds_of_text_are_plain() {
        for metadata in [
            r#"{"trafficType":"ON_DEMAND"}"#,
            r#"{"trafficType":"TRAFFIC_TYPE_UNSPECIFIED","serviceTier":"standard"}"#,
            r#"{"trafficType":1,"serviceTier":""}"#,
            r#"{"promptTokensDetails":[{"modality":"TEXT","tokenCount":4},{"modality":"IMAGE","tokenCount":258},
                {"modality":"AUDIO","tokenCount":0}],"candidatesTokensDetails":[{"modality":"TEXT","tokenCount":9}]}"#,
            r#"{"candidatesTokensDetails":[7,{"modality":"IMAGE"}]}"#,
        ] {
            assert!(billing(&[metadata], &["{}"]).is_plain(), "{metadata}");
        }
        let empty = r#"{"groundingMetadata":{"webSearchQueries":[],"groundingChunks":null}}"#;
        assert!(billing(&[], &[empty]).is_plain());
    }

    #[test]
    fn other_levels_are_named() {
        for (metadata, tier) in [
            (
                r#"{"trafficType":"ON_DEMAND_PRIORITY"}"#,
                "ON_DEMAND_PRIORITY",
            ),
            (
                r#"{"trafficType":"PROVISIONED_THROUGHPUT"}"#,
                "PROVISIONED_THROUGHPUT",
            ),
            (r#"{"serviceTier":"flex"}"#, "flex"),
            (r#"{"trafficType":2}"#, "2"),
        ] {
            assert_eq!(billing(&[metadata, "{}"], &[]).tier.as_deref(), Some(tier));
        }
    }

    #[test]
    fn searches_pictures_and_sound_are_counted_once() {
        let first = r#"{"promptTokensDetails":[{"modality":"AUDIO","tokenCount":32}],
            "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":100}]}"#;
        let last = r#"{"promptTokensDetails":[{"modality":"AUDIO","tokenCount":32}],
            "candidatesTokensDetails":[{"modality":"TEXT","tokenCount":3},{"modality":"IMAGE","tokenCount":1290},
                {"modality":"AUDIO","tokenCount":5}]}"#;
        let searched = r#"{"groundingMetadata":{"webSearchQueries":["a","b"],"groundingChunks":[{"web":{"uri":"u"}}]}}"#;
        let counted = |usage: &Usage| -> Vec<(String, u64)> {
            let details = usage.details.iter();
            details
                .map(|count| (count.name.clone(), count.value))
                .collect()
        };
        let both = billing(&[first, last], &[searched, "{}", searched]);
        assert_eq!(
            counted(&both),
            [
                ("prompt-audio-tokens".to_owned(), 32),
                ("completion-image-tokens".to_owned(), 1290),
                ("completion-audio-tokens".to_owned(), 5),
                ("web-searches".to_owned(), 2),
            ]
        );
        let found = r#"{"groundingMetadata":{"groundingChunks":[{"web":{}},{"maps":{}}]}}"#;
        let found = billing(&[], &[found]);
        assert_eq!(found.counted("web-searches"), Some(1));
        assert_eq!(found.unpriced, ["grounding with maps"]);
    }
}
