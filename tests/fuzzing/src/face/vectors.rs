//! Requests for vectors: whatever a caller sends is read or refused, what was read means the same when it is said again, and
//! the numbers of an answer arrive as they were made. The first byte chooses the form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use multillm::ErrorKind;
use multillm::chat::Usage;
use multillm_gateway::face::embeddings::{Asked, Form, Vectors};
use serde_json::{Value, json};

use crate::input::{knobs, pick};

const FORMS: [Form; 6] = [
    Form::OpenAi,
    Form::Ollama,
    Form::OllamaPrompt,
    Form::Gemini,
    Form::GeminiBatch,
    Form::Cohere,
];

/// Numbers that 32 bits hold, and that a sloppy way of writing them would change.
const NUMBERS: [f32; 4] = [0.1, -2.5, 1.0e-7, 16_777_216.0];

/// Checks one input.
pub(crate) fn check(input: &[u8]) {
    let ([form], body) = knobs(input);
    let form = *pick(form, &FORMS);
    match Asked::read(form, body) {
        Err(error) => assert_eq!(error.kind, ErrorKind::InvalidRequest, "{error}"),
        Ok(asked) => {
            again(form, &asked);
            answers(form, &asked);
        }
    }
}

fn again(form: Form, asked: &Asked) {
    let request = &asked.request;
    let dimensions = request.dimensions;
    let content = |text: &String| json!({ "parts": [{ "text": text }] });
    let body = match form {
        Form::OpenAi | Form::Ollama => json!({ "input": request.inputs, "dimensions": dimensions }),
        Form::OllamaPrompt => json!({ "prompt": request.inputs.first() }),
        Form::Gemini => {
            json!({ "content": request.inputs.first().map(content), "outputDimensionality": dimensions })
        }
        Form::GeminiBatch => {
            let one =
                |text| json!({ "content": content(text), "outputDimensionality": dimensions });
            json!({ "requests": request.inputs.iter().map(one).collect::<Vec<_>>() })
        }
        Form::Cohere => {
            json!({ "texts": request.inputs, "output_dimension": dimensions, "input_type": "search_query" })
        }
    };
    let body = body.to_string();
    let read = Asked::read(form, body.as_bytes());
    let read = read.unwrap_or_else(|error| panic!("{error}: {body}"));
    assert_eq!(read.request.inputs, request.inputs, "{body}");
    assert_eq!(read.request.dimensions, dimensions, "{body}");
}

fn answers(form: Form, asked: &Asked) {
    let vectors = vec![NUMBERS.to_vec(); asked.request.inputs.len()];
    let usage = Usage {
        prompt_tokens: Some(7),
        ..Usage::default()
    };
    let made = Vectors {
        vectors: &vectors,
        usage: &usage,
    };
    let body = asked.answer("m", made);
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    let all = |path: &str| -> Vec<Vec<f32>> {
        let list = body.pointer(path).and_then(Value::as_array);
        list.into_iter().flatten().map(numbers).collect()
    };
    let heard = match form {
        Form::OpenAi => all("/data"),
        Form::Ollama | Form::GeminiBatch => all("/embeddings"),
        Form::Cohere => all("/embeddings/float"),
        Form::OllamaPrompt | Form::Gemini => {
            body.get("embedding").map(numbers).into_iter().collect()
        }
    };
    match form {
        Form::OllamaPrompt | Form::Gemini => assert_eq!(heard.first(), vectors.first()),
        _ => assert_eq!(heard, vectors),
    }
}

/// The numbers of a vector, however a wire wraps them.
fn numbers(value: &Value) -> Vec<f32> {
    if let Some(packed) = value.get("embedding").and_then(Value::as_str) {
        let bytes = STANDARD.decode(packed).expect("base64");
        let chunks = bytes.chunks_exact(4);
        let number = |four: &[u8]| four.try_into().map(f32::from_le_bytes).expect("four bytes");
        return chunks.map(number).collect();
    }
    let inner = value.get("embedding").or_else(|| value.get("values"));
    let list = inner.unwrap_or(value).as_array();
    let number = |number: &Value| {
        let text = number.to_string();
        text.parse().expect("a number")
    };
    list.into_iter().flatten().map(number).collect()
}
