//! Where each vendor's wire has the schemas of tools and answers. One reader for what was recorded and for what is made now.

use std::collections::HashMap;

use serde_json::value::RawValue;

/// The schemas of a request's body, as they are written.
#[derive(Default, Clone)]
pub(super) struct Said {
    /// Names of tools and the schemas of their arguments, where they have any.
    pub(super) tools: Vec<(String, Option<String>)>,
    /// Schemas of the answer.
    pub(super) forms: Vec<String>,
}

type Members<'a> = HashMap<String, &'a RawValue>;

fn members(value: &RawValue) -> Members<'_> {
    serde_json::from_str(value.get()).unwrap_or_default()
}

fn items(value: &RawValue) -> Vec<&RawValue> {
    serde_json::from_str(value.get()).unwrap_or_default()
}

/// The first of these members that is there.
fn first<'a>(members: &Members<'a>, names: &[&str]) -> Option<&'a RawValue> {
    names.iter().find_map(|name| members.get(*name).copied())
}

/// The member at the end of a path.
fn at<'a>(members: &Members<'a>, path: &[&str]) -> Option<&'a RawValue> {
    let (name, rest) = path.split_first()?;
    let value = members.get(*name).copied()?;
    match rest {
        [] => Some(value),
        rest => at(&self::members(value), rest),
    }
}

const SCHEMAS_OF_TOOLS: [&str; 5] = [
    "parameters",
    "input_schema",
    "parametersJsonSchema",
    "parameters_json_schema",
    "parameter_definitions",
];

/// Where a schema of the answer stands; its form is an object.
const FORMS: [&[&str]; 14] = [
    &["response_format", "json_schema", "schema"],
    &["response_format", "schema"],
    &["response_format", "json_schema"],
    &["format"],
    &["output_format", "schema"],
    &["output_config", "format", "schema"],
    &["generationConfig", "responseJsonSchema"],
    &["generationConfig", "responseSchema"],
    &["generationConfig", "response_json_schema"],
    &["generationConfig", "response_schema"],
    &["generation_config", "response_json_schema"],
    &["generation_config", "response_schema"],
    &["generation_config", "responseJsonSchema"],
    &["generation_config", "responseSchema"],
];

impl Said {
    /// What a body says.
    pub(super) fn of(body: &RawValue) -> Self {
        let body = members(body);
        let mut said = Said::default();
        for list in ["tools", "functions"]
            .iter()
            .filter_map(|name| body.get(*name))
        {
            items(list).into_iter().for_each(|tool| said.tool(tool));
        }
        let form = FORMS.iter().find_map(|path| at(&body, path));
        let form = form.filter(|form| form.get().starts_with('{'));
        said.forms.extend(form.map(|form| form.get().to_owned()));
        said
    }

    /// A tool, or a list of functions that stands for one.
    fn tool(&mut self, tool: &RawValue) {
        let tool = members(tool);
        if let Some(list) = first(&tool, &["functionDeclarations", "function_declarations"]) {
            items(list).into_iter().for_each(|one| self.tool(one));
            return;
        }
        let function = tool.get("function").map(|function| members(function));
        let function = function.unwrap_or(tool);
        let schema =
            first(&function, &SCHEMAS_OF_TOOLS).filter(|schema| schema.get().starts_with('{'));
        let kind = function.get("type").map(|kind| kind.get());
        if schema.is_none() && !matches!(kind, None | Some(r#""function""# | r#""custom""#)) {
            // One that the vendor runs.
            return;
        }
        let name = function
            .get("name")
            .and_then(|name| serde_json::from_str(name.get()).ok());
        if let Some(name) = name {
            let schema = schema.map(|schema| schema.get().to_owned());
            self.tools.push((name, schema));
        }
    }

    /// Whether it has neither tools nor a form.
    pub(super) fn is_empty(&self) -> bool {
        self.tools.is_empty() && self.forms.is_empty()
    }

    /// The schemas of tools, then those of answers; a tool may have none.
    pub(super) fn schemas(&self) -> impl Iterator<Item = Option<&str>> {
        let tools = self.tools.iter().map(|(_, schema)| schema.as_deref());
        tools.chain(self.forms.iter().map(|form| Some(form.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> (Vec<(String, Option<String>)>, Vec<String>) {
        let said = Said::of(serde_json::from_str(body).unwrap());
        (said.tools, said.forms)
    }

    #[test]
    fn every_wires_schemas_are_found() {
        for (body, tools, forms) in [
            (
                r#"{"tools":[{"type":"function","function":{"parameters":{"b":1},"name":"f"}}],
                    "response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"a":1}}}}"#,
                1,
                1,
            ),
            (
                r#"{"tools":[{"name":"f","input_schema":{"b":1}},{"type":"web_search","name":"w"}],"format":{"a":1}}"#,
                1,
                1,
            ),
            (
                r#"{"tools":[{"functionDeclarations":[{"name":"f","parameters":{"b":1}}]}],
                    "generationConfig":{"responseSchema":{"a":1}}}"#,
                1,
                1,
            ),
            (
                r#"{"format":"json","response_format":{"type":"json_object"}}"#,
                0,
                0,
            ),
            (
                r#"{"response_format":{"type":"json_object","schema":{"a":1}}}"#,
                0,
                1,
            ),
        ] {
            let (found_tools, found_forms) = said(body);
            assert_eq!(
                (found_tools.len(), found_forms.len()),
                (tools, forms),
                "{body}"
            );
            let is_right = |(name, schema): &(String, Option<String>)| {
                name == "f" && schema.as_deref() == Some(r#"{"b":1}"#)
            };
            assert!(found_tools.iter().all(is_right), "{body}");
            assert!(
                found_forms.iter().all(|schema| schema == r#"{"a":1}"#),
                "{body}"
            );
        }
    }
}
