use super::*;

#[test]
fn usage_is_read_from_where_it_stands() {
    let usage = |json: &str| report(&Json::parse(json).unwrap()).map(counts);
    let full = usage(
        r#"{"usage":{"prompt_tokens":9.0,"completion_tokens":2,"total_tokens":11,
            "prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":1},
            "completion_tokens_details":{"reasoning_tokens":1}}}"#,
    );
    assert_eq!(
        full,
        Some(Usage {
            prompt_tokens: Some(9),
            completion_tokens: Some(2),
            total_tokens: Some(11),
            cached_tokens: Some(4),
            cache_write_tokens: Some(1),
            reasoning_tokens: Some(1),
            ..Usage::UNKNOWN
        })
    );
    let groq = usage(r#"{"usage":null,"x_groq":{"id":"r","usage":{"prompt_tokens":3}}}"#);
    assert_eq!(groq.unwrap().prompt_tokens, Some(3));
    let bare = usage(r#"{"usage":{"prompt_tokens":null,"prompt_tokens_details":null}}"#);
    assert_eq!(bare, Some(Usage::UNKNOWN));
    assert_eq!(usage(r#"{"usage":7}"#), None);
    let hit = usage(r#"{"usage":{"prompt_cache_hit_tokens":5}}"#);
    assert_eq!(hit.unwrap().cached_tokens, Some(5));
}

fn read(json: &str) -> Usage {
    counts(&Json::parse(json).unwrap())
}

#[test]
fn thoughts_beside_the_output_are_output() {
    for (usage, output, total) in [
        // xAI: the total tells.
        (
            r#"{"prompt_tokens":30,"completion_tokens":5,"total_tokens":75,"completion_tokens_details":{"reasoning_tokens":40}}"#,
            45,
            75,
        ),
        // Perplexity: more thoughts than output.
        (
            r#"{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30,"reasoning_tokens":700}"#,
            720,
            730,
        ),
        // OpenAI: within.
        (
            r#"{"prompt_tokens":10,"completion_tokens":20,"total_tokens":30,"completion_tokens_details":{"reasoning_tokens":15}}"#,
            20,
            30,
        ),
    ] {
        let counts = read(usage);
        assert_eq!(counts.completion_tokens, Some(output), "{usage}");
        assert_eq!(counts.total_tokens, Some(total), "{usage}");
    }
}

#[test]
fn cached_tokens_have_many_names() {
    for usage in [
        r#"{"prompt_tokens":9,"num_cached_tokens":4}"#,
        r#"{"prompt_tokens":9,"cached_tokens":4}"#,
        r#"{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":0},"prompt_cache_hit_tokens":4}"#,
        r#"{"prompt_tokens":9,"cache_read_input_tokens":4}"#,
    ] {
        assert_eq!(read(usage).cached_tokens, Some(4), "{usage}");
    }
    let none = read(r#"{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":0}}"#);
    assert_eq!(none.cached_tokens, Some(0));
}

#[test]
fn zero_for_everything_says_nothing_and_erases_nothing() {
    let zero = read(r#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#);
    assert_eq!(zero, Usage::UNKNOWN);
    let known = read(r#"{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}"#);
    assert_eq!(over(zero, known.clone()), known);
    let partly = read(r#"{"prompt_tokens":0,"completion_tokens":3,"total_tokens":3}"#);
    let later = over(partly, known);
    assert_eq!(
        (later.prompt_tokens, later.completion_tokens),
        (Some(7), Some(3))
    );
    let nonsense = read(r#"{"prompt_tokens":18446744073709551615,"completion_tokens":2}"#);
    assert_eq!(nonsense.prompt_tokens, None);
}

fn billed(report: &str) -> Usage {
    let mut usage = Usage::UNKNOWN;
    bill_usage(&mut usage, &Json::parse(report).unwrap());
    usage
}

#[test]
fn the_vendors_own_cost_is_decimal_text() {
    for (usage, cost) in [
        (r#"{"cost":0.00515}"#, Some("0.00515")),
        (r#"{"cost":2}"#, Some("2")),
        (r#"{"cost":0.10}"#, Some("0.10")),
        (r#"{"cost":5.15e-05}"#, Some("0.0000515")),
        (
            r#"{"cost":{"input_tokens_cost":1,"total_cost":0.006}}"#,
            Some("0.006"),
        ),
        (r#"{"estimated_cost":1.2E1}"#, Some("12")),
        (r#"{"cost_in_usd_ticks":37756000}"#, Some("0.0037756")),
        (r#"{"cost_in_usd_ticks":20000000000}"#, Some("2")),
        (r#"{"cost":-1.5}"#, None),
        (r#"{"cost":0.5,"is_byok":true}"#, None),
        (r#"{"cost":"much"}"#, None),
    ] {
        assert_eq!(billed(usage).cost.as_deref(), cost, "{usage}");
    }
}

#[test]
fn what_is_not_paid_by_the_token_is_told() {
    for (usage, name, count) in [
        (r#"{"num_search_queries":3}"#, "web-searches", 3),
        (
            r#"{"server_tool_use":{"web_search_requests":1}}"#,
            "web-searches",
            1,
        ),
        (r#"{"num_sources_used":4}"#, "sources-searched", 4),
        (
            r#"{"completion_tokens_details":{"audio_tokens":9}}"#,
            "completion-audio-tokens",
            9,
        ),
        (
            r#"{"completion_tokens_details":{"image_tokens":9}}"#,
            "completion-image-tokens",
            9,
        ),
        (
            r#"{"cache_creation":{"ephemeral_1h_input_tokens":8}}"#,
            "cache-write-1h-tokens",
            8,
        ),
        (
            r#"{"server_side_tool_usage_details":{"web_search_calls":2,"x":0}}"#,
            "web-search-calls",
            2,
        ),
    ] {
        let billed = billed(usage);
        assert_eq!(billed.counted(name), Some(count), "{usage}");
        assert_eq!(billed.details.len(), 1, "{usage}");
    }
    let plain = billed(
        r#"{"prompt_tokens_details":{"audio_tokens":0,"image_tokens":7},"num_sources_used":0,"service_tier":"default"}"#,
    );
    assert!(plain.is_plain(), "{plain:?}");
    let mut billing = Usage::UNKNOWN;
    bill(
        &mut billing,
        &Json::parse(r#"{"service_tier":"priority","citations":["u"]}"#).unwrap(),
    );
    bill_message(
        &mut billing,
        &Json::parse(r#"{"annotations":[{}]}"#).unwrap(),
    );
    assert_eq!(billing.tier.as_deref(), Some("priority"));
    assert_eq!(billing.unpriced, ["web search"]);
    let traffic = |word: &str| {
        billed(&format!(
            r#"{{"extra_properties":{{"google":{{"traffic_type":"{word}"}}}}}}"#
        ))
        .tier
    };
    assert_eq!(traffic("ON_DEMAND"), None);
    assert_eq!(
        traffic("PROVISIONED_THROUGHPUT").as_deref(),
        Some("PROVISIONED_THROUGHPUT")
    );
}
