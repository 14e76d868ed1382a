//! The sampling that a model which reasons does not take.

use crate::ChatRequest;

/// The sampling of a request that a model which reasons refuses: whatever is not its own.
pub(super) fn refused_by_reasoning(request: &ChatRequest) -> Vec<&'static str> {
    let sampling = &request.sampling;
    let other = |value: Option<f64>, own: f64| value.is_some_and(|value| value != own);
    let refused = [
        ("temperature", other(sampling.temperature, 1.0)),
        ("top_p", other(sampling.top_p, 1.0)),
        ("frequency_penalty", other(sampling.frequency_penalty, 0.0)),
        ("presence_penalty", other(sampling.presence_penalty, 0.0)),
        ("stop", !sampling.stop.is_empty()),
    ];
    let names = refused
        .into_iter()
        .filter_map(|(name, refused)| refused.then_some(name));
    names.collect()
}
