//! `multillm keys list`: which keys there are, where each comes from, and which one counts. No key is
//! shown.

use serde::Serialize;

use crate::sheet::Sheet;
use crate::{Context, Failure};
use multillm::config::{FoundKey, KeyName, KeyPlace, key_ending, key_names};

/// A key as it stands in output.
#[derive(Serialize)]
struct Row {
    /// The variable; none where the configuration names a file or a program.
    name: Option<String>,
    providers: Vec<String>,
    #[serde(flatten)]
    place: Option<KeyPlace>,
    /// Where it comes from, for people.
    from: String,
    /// Its last characters.
    ends_in: Option<String>,
    /// It is the one that counts.
    used: bool,
    /// Why it cannot be had.
    problem: Option<String>,
}

pub(super) fn run(context: &Context) -> Result<(), Failure> {
    let store = super::store(context)?;
    let config = super::configuration(context)?;
    // One that cannot be read is told below what can.
    let (kept, fault) = match store.list() {
        Ok(kept) => (kept, None),
        Err(error) => (vec![], Some(error)),
    };
    let env = match &fault {
        Some(_) => context.env.clone().without_keys(),
        None => context.env.clone(),
    };
    let mut names = key_names(config.as_ref());
    for (name, _) in kept {
        if !names.iter().any(|known| known.variables.contains(&name)) {
            names.push(KeyName {
                provider: None,
                variables: vec![name],
                configured: false,
                instead: None,
            });
        }
    }
    let mut rows = vec![];
    for (name, providers) in together(names) {
        if let Some(instead) = name.instead {
            rows.push(Row::instead(providers, instead));
            continue;
        }
        match env.found_keys(&name.variables, name.configured) {
            Ok(found) => {
                let found = found.iter().enumerate();
                rows.extend(found.map(|(at, found)| Row::of(found, &providers, at == 0)));
            }
            Err(error) => rows.push(Row::unreadable(&name, providers, error.reason)),
        }
    }
    match context.json {
        true => context.printer.json(&rows)?,
        false if rows.is_empty() && fault.is_some() => {}
        false => print(&rows, context)?,
    }
    match fault {
        None => Ok(()),
        Some(error) => Err(error.into()),
    }
}

/// Each key once, with all the providers that it belongs to.
fn together(names: Vec<KeyName>) -> Vec<(KeyName, Vec<String>)> {
    let mut all: Vec<(KeyName, Vec<String>)> = vec![];
    for mut name in names {
        let provider = name.provider.take();
        if name.variables.is_empty() && name.instead.is_none() {
            continue;
        }
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, providers)) => providers.extend(provider),
            None => all.push((name, provider.into_iter().collect())),
        }
    }
    all
}

impl Row {
    fn of(found: &FoundKey, providers: &[String], used: bool) -> Self {
        Row {
            name: Some(found.name.clone()),
            providers: providers.to_vec(),
            from: found.place.to_string(),
            place: Some(found.place.clone()),
            ends_in: key_ending(&found.value),
            used,
            problem: None,
        }
    }

    /// The configuration names something else.
    fn instead(providers: Vec<String>, instead: String) -> Self {
        Row {
            name: None,
            providers,
            place: None,
            from: format!("{instead} (configuration)"),
            ends_in: None,
            used: true,
            problem: None,
        }
    }

    fn unreadable(name: &KeyName, providers: Vec<String>, problem: String) -> Self {
        Row {
            name: name.variables.first().cloned(),
            providers,
            place: None,
            from: "your keys".to_owned(),
            ends_in: None,
            used: false,
            problem: Some(problem),
        }
    }

    fn remark(&self) -> String {
        match (&self.problem, self.used) {
            (Some(problem), _) => problem.clone(),
            (None, true) => "used".to_owned(),
            (None, false) => "not used".to_owned(),
        }
    }
}

fn print(rows: &[Row], context: &Context) -> Result<(), Failure> {
    if rows.is_empty() {
        let next = "there are no keys: \"multillm keys set openai\" keeps one";
        context.printer.note(next);
        return Ok(());
    }
    let mut table = Sheet::new(&["KEY", "PROVIDER", "FROM", "ENDS IN", ""]).texts(&[2, 4]);
    for row in rows {
        table.row([
            row.name.clone().unwrap_or_else(|| "-".to_owned()),
            row.providers.join(", "),
            row.from.clone(),
            row.ends_in.clone().unwrap_or_default(),
            row.remark(),
        ]);
    }
    Ok(context.printer.table(&table)?)
}
