//! Filters of providers and models.

use super::super::document::Place;
use super::super::model::{FilterUse, MOST_FILTERS};
use super::super::schema;
use super::Resolver;

impl Resolver<'_> {
    /// The filters of an entry, in order.
    pub(super) fn filters(
        &mut self,
        place: &Place,
        raw: Option<&[schema::FilterUse]>,
    ) -> Vec<FilterUse> {
        let raw = raw.unwrap_or_default();
        if raw.len() > MOST_FILTERS {
            let message = format!(
                "has {} filters, at most {MOST_FILTERS} are allowed",
                raw.len()
            );
            self.fault(place, message);
        }
        let named = raw.iter().enumerate().filter_map(|(index, raw)| {
            let at = place.index(index);
            match raw {
                schema::FilterUse::Name(name) => self.filter(&at, name, None),
                schema::FilterUse::Entry(entry) => {
                    let name_at = at.key("plugin");
                    let Some(name) = &entry.plugin else {
                        if !self.is_faulty(&name_at) {
                            let message = "names no plugin: add one, such as \"plugin\": \"pii\"";
                            self.fault(&at, message);
                        }
                        return None;
                    };
                    self.filter(&name_at, name, Some(entry))
                }
            }
        });
        named.collect()
    }

    fn filter(
        &mut self,
        place: &Place,
        name: &str,
        entry: Option<&schema::FilterEntry>,
    ) -> Option<FilterUse> {
        let name = self.filled(place, Some(name))?;
        let plugin = self.named_plugin(place, name)?;
        let settings = entry.and_then(|entry| entry.settings.clone());
        Some(FilterUse {
            plugin,
            settings: settings.unwrap_or_default(),
        })
    }
}
