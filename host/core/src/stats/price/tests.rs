//! Costs that were reckoned by hand, to the last digit.

use super::*;

fn dollars(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn prices() -> Prices {
    Prices {
        input_per_1m: Some(dollars("30")),
        output_per_1m: Some(dollars("60")),
        cached_input_per_1m: Some(dollars("15")),
        ..Prices::default()
    }
}

fn usage(prompt: u64, completion: u64) -> Usage {
    Usage {
        prompt_tokens: Some(prompt),
        completion_tokens: Some(completion),
        ..Usage::default()
    }
}

#[test]
fn every_kind_of_token_has_its_price() {
    assert_eq!(cost(&prices(), &usage(9, 2)), Some(dollars("0.00039")));
    let cached = Usage {
        cached_tokens: Some(4),
        ..usage(9, 2)
    };
    assert_eq!(cost(&prices(), &cached), Some(dollars("0.00033")));
    let all = Prices {
        cache_write_per_1m: Some(dollars("37.5")),
        reasoning_per_1m: Some(dollars("70")),
        per_request: Some(dollars("0.01")),
        ..prices()
    };
    let counted = Usage {
        cached_tokens: Some(4),
        cache_write_tokens: Some(3),
        reasoning_tokens: Some(1),
        ..usage(9, 2)
    };
    // 2×30 + 4×15 + 3×37.5 + 1×60 + 1×70 = 362.5 millionths, and 0.01
    assert_eq!(cost(&all, &counted), Some(dollars("0.0103625")));
}

#[test]
fn what_is_unknown_stays_unknown() {
    assert_eq!(cost(&Prices::default(), &usage(9, 2)), None);
    assert_eq!(cost(&prices(), &Usage::default()), None);
    let total = Usage {
        total_tokens: Some(1000),
        ..Usage::default()
    };
    assert_eq!(cost(&prices(), &total), None);
    let single = Prices::single(dollars("0.03")).unwrap();
    assert_eq!(cost(&single, &total), Some(dollars("0.03")));
}

#[test]
fn counts_that_contradict_each_other_never_go_below_zero() {
    let odd = Usage {
        cached_tokens: Some(100),
        reasoning_tokens: Some(100),
        ..usage(9, 2)
    };
    assert_eq!(cost(&prices(), &odd), Some(dollars("0.000255")));
}

#[test]
fn a_tenth_of_a_cent_a_million_times_is_exact() {
    let price = Prices::single(dollars("0.0001")).unwrap();
    let one = cost(&price, &usage(1, 0)).unwrap();
    assert_eq!(one, dollars("0.0000001"));
    let sum = (0..1_000_000).fold(Decimal::ZERO, |sum, _| sum + one);
    assert_eq!(sum, dollars("0.1"));
}

fn billed(details: &[(&str, u64)], tier: Option<&str>) -> Billing {
    let details = details
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count));
    Billing::said(crate::chat::Said {
        details: details.collect(),
        tier: tier.map(str::to_owned),
        ..crate::chat::Said::default()
    })
}

fn sum(prices: &Prices, usage: &Usage, billing: &Billing) -> Option<String> {
    let cost = bill(prices, Absent::Unknown, usage, billing).ok()?;
    Some(cost.normalize().to_string())
}

/// Sonnet's prices, as its vendor lists them.
fn sonnet() -> Prices {
    Prices {
        input_per_1m: Some(dollars("3")),
        output_per_1m: Some(dollars("15")),
        cached_input_per_1m: Some(dollars("0.30")),
        cache_write_per_1m: Some(dollars("3.75")),
        cache_write_1h_per_1m: Some(dollars("6")),
        per_web_search: Some(dollars("0.01")),
        per_web_fetch: Some(Decimal::ZERO),
        tiers: [(
            "batch".to_owned(),
            Prices {
                input_per_1m: Some(dollars("1.5")),
                output_per_1m: Some(dollars("7.5")),
                ..Prices::default()
            },
        )]
        .into(),
        above: Some(Box::new((
            200_000,
            Prices {
                input_per_1m: Some(dollars("6")),
                output_per_1m: Some(dollars("22.50")),
                cached_input_per_1m: Some(dollars("0.60")),
                ..Prices::default()
            },
        ))),
        ..Prices::default()
    }
}

#[test]
fn writes_to_a_cache_are_paid_by_their_lifetime() {
    let written = Usage {
        cached_tokens: Some(200),
        cache_write_tokens: Some(300),
        ..usage(1000, 10)
    };
    // 500×3 + 200×0.30 + 300×3.75 + 10×15 = 2835 millionths
    let plain = billed(&[], None);
    assert_eq!(
        sum(&sonnet(), &written, &plain).as_deref(),
        Some("0.002835")
    );
    // 500×3 + 200×0.30 + 100×3.75 + 200×6 + 10×15 = 3285 millionths
    let hour = billed(&[("cache-write-1h-tokens", 200)], None);
    assert_eq!(sum(&sonnet(), &written, &hour).as_deref(), Some("0.003285"));
    let unknown = Prices {
        cache_write_1h_per_1m: None,
        ..sonnet()
    };
    assert_eq!(sum(&unknown, &written, &hour), None);
}

#[test]
fn calls_are_paid_by_number_and_those_without_a_price_make_the_cost_unknown() {
    // 100×3 + 10×15 = 450 millionths, and 3 × 0.01
    let searched = billed(&[("web-searches", 3), ("web-fetches", 2)], None);
    assert_eq!(
        sum(&sonnet(), &usage(100, 10), &searched).as_deref(),
        Some("0.03045")
    );
    let once = Prices {
        per_searched_request: Some(dollars("0.035")),
        ..sonnet()
    };
    assert_eq!(
        sum(&once, &usage(100, 10), &searched).as_deref(),
        Some("0.03545")
    );
    let files = billed(&[("file-searches", 1)], None);
    assert_eq!(sum(&sonnet(), &usage(100, 10), &files), None);
    assert_eq!(
        sum(
            &sonnet(),
            &usage(100, 10),
            &billed(&[("new-things", 1)], None)
        ),
        None
    );
    assert_eq!(sum(&Prices::free(), &usage(100, 10), &searched), None);
}

#[test]
fn a_service_level_has_its_own_prices_or_none() {
    // 1000×1.5 + 100×7.5 = 2250 millionths
    let batch = billed(&[], Some("batch"));
    assert_eq!(
        sum(&sonnet(), &usage(1000, 100), &batch).as_deref(),
        Some("0.00225")
    );
    assert_eq!(
        sum(&sonnet(), &usage(1000, 100), &billed(&[], Some("priority"))),
        None
    );
    let cached = Usage {
        cached_tokens: Some(10),
        ..usage(1000, 100)
    };
    let unknown = bill(&sonnet(), Absent::AsOtherTokens, &cached, &batch);
    assert!(matches!(unknown, Err(Unpriced::Because(_))), "{unknown:?}");
    let searched = billed(&[("web-searches", 1)], Some("batch"));
    assert_eq!(sum(&sonnet(), &usage(1000, 100), &searched), None);
    for (word, expected) in [
        ("ON_DEMAND_PRIORITY", "priority"),
        ("Flex", "flex"),
        ("batches", "batch"),
        ("scale", "scale"),
    ] {
        assert_eq!(level(word), expected);
    }
}

#[test]
fn a_long_prompt_has_its_own_prices_or_none() {
    // 200000×3 + 100×15 = 601500 millionths
    let plain = billed(&[], None);
    assert_eq!(
        sum(&sonnet(), &usage(200_000, 100), &plain).as_deref(),
        Some("0.6015")
    );
    // 200001×6 + 100×22.50 = 1202256 millionths
    assert_eq!(
        sum(&sonnet(), &usage(200_001, 100), &plain).as_deref(),
        Some("1.202256")
    );
    // 199991×6 + 10×0.60 + 100×22.50 = 1202202 millionths
    let cached = Usage {
        cached_tokens: Some(10),
        ..usage(200_001, 100)
    };
    assert_eq!(sum(&sonnet(), &cached, &plain).as_deref(), Some("1.202202"));
    let batch = billed(&[], Some("batch"));
    let unknown = bill(&sonnet(), Absent::Unknown, &usage(200_001, 100), &batch);
    assert!(matches!(unknown, Err(Unpriced::Because(_))), "{unknown:?}");
    let written = Usage {
        cache_write_tokens: Some(10),
        ..usage(200_001, 100)
    };
    assert_eq!(sum(&sonnet(), &written, &plain), None);
}

#[test]
fn sound_and_pictures_are_paid_apart_from_words() {
    let flash = Prices {
        input_per_1m: Some(dollars("0.30")),
        output_per_1m: Some(dollars("2.50")),
        cached_input_per_1m: Some(dollars("0.03")),
        audio_input_per_1m: Some(dollars("1")),
        image_output_per_1m: Some(dollars("30")),
        ..Prices::default()
    };
    // 400×0.30 + 600×1 + 10×2.50 = 745 millionths
    let heard = billed(&[("prompt-audio-tokens", 600)], None);
    assert_eq!(
        sum(&flash, &usage(1000, 10), &heard).as_deref(),
        Some("0.000745")
    );
    let cached = Usage {
        cached_tokens: Some(10),
        ..usage(1000, 10)
    };
    assert_eq!(
        sum(&flash, &cached, &heard),
        None,
        "which of it was cached is unknown"
    );
    // 1000×0.30 + 20×2.50 + 5×2.50 + 1290×30 = 39062.5 millionths
    let drawn = billed(&[("completion-image-tokens", 1290)], None);
    let thought = Usage {
        reasoning_tokens: Some(5),
        ..usage(1000, 1315)
    };
    assert_eq!(sum(&flash, &thought, &drawn).as_deref(), Some("0.0390625"));
    let spoken = billed(&[("completion-audio-tokens", 1)], None);
    assert_eq!(sum(&flash, &usage(1000, 10), &spoken), None);
}

#[test]
fn what_nobody_counts_makes_every_cost_unknown() {
    let remarked = Billing::read(r#"{"unpriced":["run code"]}"#);
    let unknown = bill(&sonnet(), Absent::Unknown, &usage(1, 1), &remarked);
    assert_eq!(unknown, Err(Unpriced::AsSaid));
    let free = bill(
        &Prices::free(),
        Absent::Unknown,
        &usage(1, 1),
        &billed(&[], None),
    );
    assert_eq!(free, Ok(Decimal::ZERO));
}
