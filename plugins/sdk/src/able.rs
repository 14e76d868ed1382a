//! What a request asks for, against what an adapter can say on its wire.

use crate::leaving::Leaving;
use crate::{ChatRequest, Error, Part, ResultPart, Tool, ToolChoice, ToolInput};

/// What an adapter can beyond text, pictures, and tools with schemas. By default nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Able {
    /// It asks for tools that the vendor runs.
    pub server_tools: bool,
    /// It offers tools that take free text.
    pub text_tools: bool,
    /// It can limit the choice to some of the tools.
    pub one_of: bool,
    /// What answers may hold beside text, such as `image`.
    pub outputs: &'static [&'static str],
}

impl ChatRequest {
    /// Refuses what the adapter of `vendor` cannot say.
    ///
    /// # Errors
    ///
    /// `unsupported`, naming what was asked and the vendor.
    pub fn within(&self, vendor: &str, able: Able) -> Result<(), Error> {
        self.within_or(vendor, able, &mut Leaving::default())
    }

    /// As [`ChatRequest::within`], where what an answer is of use without may be left out: tools that the vendor
    /// runs, and the limits of a choice among tools, which then is a choice among all.
    ///
    /// # Errors
    ///
    /// `unsupported` for the rest, or, unless the request says that such things are left out, for all of it.
    pub fn within_or(&self, vendor: &str, able: Able, leaving: &mut Leaving) -> Result<(), Error> {
        if !able.server_tools {
            for tool in &self.server_tools {
                let refused = Error::unsupported(format!(
                    "{vendor} is not asked for tools that it runs itself here: leave out {:?}",
                    tool.name
                ));
                leaving.or_else(&tool.name, Err(refused), || Ok(()))?;
            }
        }
        if !able.text_tools {
            self.tools
                .iter()
                .try_for_each(|tool| tool.schema(vendor).map(|_| ()))?;
        }
        if let ToolChoice::OneOf(names) = &self.tool_choice
            && !able.one_of
        {
            let refused = Error::unsupported(format!(
                "{vendor} cannot limit the choice to some of the tools ({}): give only those, and require a call",
                names.join(", ")
            ));
            leaving.or_else("tool_choice", Err(refused), || Ok(()))?;
        }
        let beyond = |output: &&String| {
            let output = output.as_str();
            output != "text" && !able.outputs.contains(&output)
        };
        match self.outputs.iter().find(beyond) {
            Some(output) => Err(Error::unsupported(format!(
                "{vendor} is not asked for {output:?} in an answer here: leave it out of the outputs"
            ))),
            None => Ok(()),
        }
    }
}

impl Tool {
    /// The JSON Schema of the arguments.
    ///
    /// # Errors
    ///
    /// `unsupported` if the tool takes free text.
    pub fn schema(&self, vendor: &str) -> Result<&str, Error> {
        match &self.input {
            ToolInput::Schema(schema) => Ok(schema),
            ToolInput::Text(_) => Err(Error::unsupported(format!(
                "{vendor} takes no tool whose input is free text: give {:?} a schema",
                self.name
            ))),
        }
    }
}

/// That a vendor takes no part which only its maker reads.
#[must_use]
pub fn foreign(vendor: &str, part: &Part) -> Error {
    let what = match part {
        Part::ServerToolCall(call) => format!("call of a tool that another ran ({:?})", call.name),
        Part::ServerToolResult(result) => {
            format!("result of a tool that another ran ({:?})", result.name)
        }
        Part::Opaque(block) => format!("block of another vendor's ({:?})", block.kind),
        _ => "such part here".to_owned(),
    };
    Error::unsupported(format!(
        "{vendor} takes no {what}: leave it out of the conversation"
    ))
}

/// That a vendor takes no such piece of a tool's result.
#[must_use]
pub fn unreturnable(vendor: &str, tool: &str, piece: &ResultPart) -> Error {
    let what = match piece {
        ResultPart::Text(_) => "text".to_owned(),
        ResultPart::Media(media) => media.named(),
        ResultPart::Opaque(block) => format!("block of another vendor's ({:?})", block.kind),
    };
    Error::unsupported(format!(
        "{vendor} takes no {what} in a tool's result: let {tool:?} return text, and put the rest into a user message"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, ServerTool};

    #[test]
    fn what_cannot_be_said_is_refused_with_its_name_and_the_vendors() {
        let text_tool = Tool {
            name: "patch".to_owned(),
            input: ToolInput::Text(None),
            ..Tool::default()
        };
        let search = ServerTool {
            name: "web-search".to_owned(),
            options: None,
        };
        for (request, word) in [
            (
                ChatRequest {
                    server_tools: vec![search],
                    ..ChatRequest::default()
                },
                "web-search",
            ),
            (
                ChatRequest {
                    tools: vec![text_tool],
                    ..ChatRequest::default()
                },
                "patch",
            ),
            (
                ChatRequest {
                    tool_choice: ToolChoice::OneOf(vec!["look".to_owned()]),
                    ..ChatRequest::default()
                },
                "look",
            ),
            (
                ChatRequest {
                    outputs: vec!["text".to_owned(), "audio".to_owned()],
                    ..ChatRequest::default()
                },
                "audio",
            ),
        ] {
            let error = request.within("parley", Able::default()).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Unsupported);
            assert!(error.message.contains(word), "{}", error.message);
            assert!(error.message.contains("parley"), "{}", error.message);
            let able = Able {
                server_tools: true,
                text_tools: true,
                one_of: true,
                outputs: &["audio"],
            };
            assert_eq!(request.within("parley", able), Ok(()));
        }
        let mut lenient = ChatRequest {
            server_tools: vec![ServerTool {
                name: "web-search".to_owned(),
                options: None,
            }],
            tool_choice: ToolChoice::OneOf(vec!["look".to_owned()]),
            drop_unsupported: true,
            ..ChatRequest::default()
        };
        let mut leaving = Leaving::of(&lenient);
        let within = lenient.within_or("parley", Able::default(), &mut leaving);
        assert_eq!(within, Ok(()));
        assert_eq!(
            leaving.warnings(),
            [
                "web-search: parley is not asked for tools that it runs itself here",
                "tool_choice: parley cannot limit the choice to some of the tools (look)",
            ]
        );
        // No picture is left out of an answer that was to hold one.
        lenient.outputs = vec!["image".to_owned()];
        let mut leaving = Leaving::of(&lenient);
        let within = lenient.within_or("parley", Able::default(), &mut leaving);
        assert_eq!(within.unwrap_err().kind, ErrorKind::Unsupported);
        let plain = ChatRequest {
            outputs: vec!["text".to_owned()],
            ..ChatRequest::default()
        };
        assert_eq!(plain.within("parley", Able::default()), Ok(()));
    }
}
