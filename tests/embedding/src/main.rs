//! Asks a model for an answer of a certain form, and says what it cost: `multillm-embedding CONFIG MODEL QUESTION`.

use std::error::Error;

use multillm::{ChatMessage, ChatRequest, MultiLlmService};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [config, model, question] = words.as_slice() else {
        return Err("usage: multillm-embedding CONFIG MODEL QUESTION".into());
    };
    let service = MultiLlmService::from_file(config).await?;
    // Models fill in a schema in the order of its keys: first the reasons, then the judgement.
    let schema = serde_json::json!({
        "type": "object",
        "properties": { "reasons": { "type": "string" }, "answer": { "type": "string" } },
        "required": ["reasons", "answer"],
        "additionalProperties": false,
    });
    let request = ChatRequest::new([ChatMessage::user(question)]).json_schema("answer", schema);
    let answer = service.chat(request, model).await?;
    println!("{} (${:?})", answer.content(), answer.cost);
    recorded(&service).await?;
    service.close().await;
    Ok(())
}

#[cfg(feature = "history")]
async fn recorded(service: &MultiLlmService) -> multillm::Result<()> {
    use multillm::stats::{Filter, Grouping};
    if service.history_path().is_some() {
        let summary = service.stats(&Filter::default(), Grouping::Model).await?;
        println!("{} recorded", summary.total.total_requests);
    }
    Ok(())
}

#[cfg(not(feature = "history"))]
async fn recorded(service: &MultiLlmService) -> multillm::Result<()> {
    assert_eq!(service.history_path(), None);
    Ok(())
}
