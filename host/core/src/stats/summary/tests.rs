//! Sums over made-up entries.

use super::*;
use crate::stats::history::tests::made;

#[test]
fn percentiles_are_values_that_occurred() {
    let values: Vec<f64> = (1..=100).map(f64::from).collect();
    assert_eq!(percentile(&values, 50), Some(50.0));
    assert_eq!(percentile(&values, 95), Some(95.0));
    assert_eq!(percentile(&values, 99), Some(99.0));
    assert_eq!(percentile(&[7.0], 99), Some(7.0));
    assert_eq!(percentile(&[], 50), None);
}

#[test]
fn unknown_is_not_nothing() {
    let silent = made("quiet", "openai");
    let sums = summarise([&silent], Grouping::Model).total;
    assert_eq!(sums.total_requests, 1);
    assert_eq!(sums.total_cost, None);
    assert_eq!(sums.prompt_tokens, None);
    assert_eq!(sums.priced_requests, 0);
    let json = serde_json::to_value(&sums).unwrap();
    assert!(json["total_cost"].is_null() && json["reasoning_tokens"].is_null());
    let none = summarise([], Grouping::Model).total;
    assert_eq!(none.total_cost, Some(Decimal::ZERO));
    assert_eq!(none.error_rate, None);
}

#[test]
fn money_is_added_exactly_and_beside_it_stands_how_much_is_known() {
    let mut entries: Vec<Entry> = (0..3).map(|_| made("m", "openai")).collect();
    entries[0].cost = Some("0.1".parse().unwrap());
    entries[1].cost = Some("0.2".parse().unwrap());
    let sums = summarise(&entries, Grouping::Model).total;
    assert_eq!(sums.total_cost, Some("0.3".parse().unwrap()));
    assert_eq!((sums.priced_requests, sums.total_requests), (2, 3));
    let json = serde_json::to_string(&sums).unwrap();
    assert!(json.contains("\"total_cost\":0.3,"), "{json}");
}

#[test]
fn attempts_are_one_request_and_every_error_has_its_kind() {
    let failed = |last: bool, attempt: u32| Entry {
        outcome: "error".into(),
        error_kind: Some("overloaded".into()),
        last,
        attempt,
        ..made("m", "openai")
    };
    let answered = Entry {
        attempt: 3,
        latency_ms: 200.0,
        completion_tokens: Some(10),
        prompt_tokens: Some(4),
        total_tokens: Some(14),
        ttft_ms: Some(50.0),
        ..made("m", "openai")
    };
    let given_up = Entry {
        outcome: "cancelled".into(),
        ..made("other", "claude")
    };
    let kept = Entry {
        attempt: 0,
        cached: true,
        latency_ms: 0.1,
        ..made("m", "openai")
    };
    let entries = [
        failed(false, 1),
        failed(false, 2),
        answered,
        failed(true, 1),
        given_up,
        kept,
    ];
    let summary = summarise(&entries, Grouping::Provider);
    let sums = &summary.total;
    assert_eq!(sums.total_requests, 4);
    assert_eq!(
        (sums.successes, sums.error_count, sums.cancellations),
        (2, 1, 1)
    );
    assert_eq!((sums.retries, sums.cache_hits), (2, 1));
    assert_eq!(sums.errors.get("overloaded"), Some(&3));
    assert!((sums.error_rate.unwrap() - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(sums.average_latency, Some(200.0));
    assert_eq!(sums.average_ttft_ms, Some(50.0));
    assert_eq!(sums.tokens_per_second, Some(50.0));
    assert_eq!(sums.total_tokens, Some(14));
    assert_eq!(summary.groups["claude"].cancellations, 1);
    assert_eq!(summary.groups["claude"].error_rate, None);
}

#[test]
fn days_are_those_of_utc() {
    let late = Entry {
        at_ms: 1_795_478_399_999,
        ..made("m", "openai")
    };
    let next = Entry {
        at_ms: 1_795_478_400_000,
        ..made("m", "openai")
    };
    let summary = summarise([&late, &next], Grouping::Day);
    let days: Vec<&str> = summary.groups.keys().map(String::as_str).collect();
    assert_eq!(days, ["2026-11-23", "2026-11-24"]);
}
