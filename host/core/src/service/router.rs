//! From the name that was asked for to the models to try, in order.

use std::sync::Arc;

use super::live::Live;
use crate::config::{Config, Model, Route, RouteModel, Strategy};
use crate::error::{Error, Result};

/// The models to try.
pub(super) struct Plan {
    /// The route's name, if a route was asked.
    pub(super) route: Option<String>,
    /// In the order of trying; at least one.
    pub(super) models: Vec<Arc<Model>>,
}

/// The models behind a name.
pub(super) fn plan(config: &Config, live: &Live, name: &str) -> Result<Plan> {
    let name = config.unaliased(name);
    if let Some(route) = config.routes.get(name) {
        return plan_route(route, live);
    }
    match config.model(name) {
        Some(model) if model.enabled => Ok(Plan {
            route: None,
            models: vec![model],
        }),
        Some(_) => Err(Error::configuration(format!(
            "model {name:?} is switched off: set its \"enabled\" to true"
        ))),
        None => Err(Error::configuration(config.unknown_model(name))),
    }
}

fn plan_route(route: &Route, live: &Live) -> Result<Plan> {
    let mut usable: Vec<&RouteModel> = route
        .models
        .iter()
        .filter(|entry| entry.model.enabled)
        .collect();
    if usable.is_empty() || !route.enabled {
        return Err(Error::configuration(format!(
            "route {:?} has no model that is switched on",
            route.name
        )));
    }
    match route.strategy {
        Strategy::Fallback => {}
        Strategy::Weighted => usable = shuffled(usable, fastrand::f64),
        Strategy::Latency => {
            usable = by_latency(
                usable,
                |name| live.model(name).average_ms(),
                fastrand::usize,
            );
        }
    }
    Ok(Plan {
        route: Some(route.name.clone()),
        models: usable
            .into_iter()
            .map(|entry| entry.model.clone())
            .collect(),
    })
}

/// The faster of two drawn by chance, then the others, the fastest first. A model that has not
/// answered yet counts as fast, so that it is tried.
fn by_latency(
    mut models: Vec<&RouteModel>,
    average: impl Fn(&str) -> Option<f64>,
    random: impl Fn(std::ops::Range<usize>) -> usize,
) -> Vec<&RouteModel> {
    let speed = |entry: &RouteModel| average(&entry.model.name).unwrap_or(0.0);
    let count = models.len();
    if count > 1 {
        let one = random(0..count);
        let other = (one + 1 + random(0..count - 1)) % count;
        let faster = match (models.get(one), models.get(other)) {
            (Some(a), Some(b)) if speed(b) < speed(a) => other,
            _ => one,
        };
        let first = models.remove(faster);
        models.sort_by(|a, b| speed(a).total_cmp(&speed(b)));
        models.insert(0, first);
    }
    models
}

/// Draws without putting back, each with the probability of its weight.
fn shuffled(mut left: Vec<&RouteModel>, mut random: impl FnMut() -> f64) -> Vec<&RouteModel> {
    let mut drawn = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let total: f64 = left.iter().map(|entry| f64::from(entry.weight)).sum();
        let mut mark = random() * total;
        let at = left
            .iter()
            .position(|entry| {
                mark -= f64::from(entry.weight);
                mark < 0.0
            })
            .unwrap_or(left.len() - 1);
        drawn.push(left.swap_remove(at));
    }
    drawn
}
