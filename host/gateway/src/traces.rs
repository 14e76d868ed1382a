//! Traces for OpenTelemetry: a span for each request of a caller, and below it one for each attempt at a model, by the
//! conventions for HTTP servers and generative models. They say who was asked, how long it took and what it took, and no
//! word of what was said. A caller's own trace goes on (`traceparent`), and who does not want to be traced is not.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::{Body, to_bytes};
use axum::http::HeaderMap;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use multillm::stats::{Outcome, Record};
use multillm::{Error, Result};
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{
    Span as _, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HeaderExtractor, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span};
use tokio::runtime::Handle;
use url::Url;

use crate::access::Line;

/// For one delivery.
const DELIVERY: Duration = Duration::from_secs(10);
/// For the last one.
const LAST: Duration = Duration::from_secs(3);
/// How long after a request attempts of it are still put below it: what is read beside a stream ends with it, or shortly
/// after.
const LATE: Duration = Duration::from_secs(10);
/// The most bytes of a collector's answer.
const ANSWER: usize = 64 << 10;

/// What makes spans, and has them sent.
pub(crate) struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    open: Mutex<OpenRequests>,
}

#[derive(Default)]
struct OpenRequests {
    /// By the requests' ids.
    spans: HashMap<String, SpanContext>,
    /// Those that are over, the first one first.
    over: VecDeque<(Instant, String)>,
}

/// The span of a request under way.
pub(crate) struct Open {
    span: Span,
    request_id: String,
    traces: Arc<Traces>,
}

impl Traces {
    /// Has spans sent to a collector; nothing where there is none.
    ///
    /// # Errors
    ///
    /// The exporter's own settings, which are variables of the environment, are wrong.
    pub(crate) fn to(collector: Option<&Url>) -> Result<Option<Arc<Self>>> {
        let Some(collector) = collector else {
            return Ok(None);
        };
        let path = format!("{}/v1/traces", collector.as_str().trim_end_matches('/'));
        let post = Post {
            client: Client::builder(TokioExecutor::new()).build_http(),
            runtime: Handle::try_current()
                .map_err(|error| Error::configuration(format!("gateway.traces: {error}")))?,
            told: AtomicBool::new(false),
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(post)
            .with_endpoint(path)
            .with_timeout(DELIVERY)
            .build()
            .map_err(|error| Error::configuration(format!("gateway.traces: {error}")))?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(Resource::builder().with_service_name("multillm").build())
            .build();
        Ok(Some(Arc::new(Traces {
            tracer: provider.tracer("multillm"),
            provider,
            open: Mutex::default(),
        })))
    }

    /// A request has come.
    pub(crate) fn begin(self: &Arc<Self>, headers: &HeaderMap, request_id: &str) -> Open {
        let parent = TraceContextPropagator::new()
            .extract_with_context(&Context::new(), &HeaderExtractor(headers));
        let builder = self
            .tracer
            .span_builder("request")
            .with_kind(SpanKind::Server);
        let span = self.tracer.build_with_context(builder, &parent);
        let context = span.span_context().clone();
        self.requests(|open| open.spans.insert(request_id.to_owned(), context));
        Open {
            span,
            request_id: request_id.to_owned(),
            traces: self.clone(),
        }
    }

    /// An attempt at a model is over.
    pub(crate) fn exchange(&self, record: &Record) {
        let parent = self.requests(|open| open.spans.get(&record.request_id).cloned());
        // What is asked beside requests, such as by a program of which the gateway is a part, is its own to trace.
        let Some(parent) = parent else { return };
        let parent = Context::new().with_remote_span_context(parent);
        let begun = UNIX_EPOCH + Duration::from_millis(u64::try_from(record.at_ms).unwrap_or(0));
        let builder = self
            .tracer
            .span_builder(format!("chat {}", record.model))
            .with_kind(SpanKind::Client)
            .with_start_time(begun)
            .with_attributes(attributes(record));
        let mut span = self.tracer.build_with_context(builder, &parent);
        match &record.outcome {
            Outcome::Success(_) => {}
            Outcome::Error { kind, .. } => span.set_status(Status::error(kind.as_str())),
            Outcome::Cancelled => span.set_status(Status::error("cancelled")),
        }
        span.end_with_timestamp(begun + record.latency);
    }

    /// Sends what is left. It waits, and has to be called where that may be.
    pub(crate) fn shut_down(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST) {
            tracing::debug!(%error, "the last traces are lost");
        }
    }

    fn requests<T>(&self, act: impl FnOnce(&mut OpenRequests) -> T) -> T {
        act(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Open {
    /// The request is over.
    pub(crate) fn end(mut self, line: &Line) {
        self.span
            .update_name(format!("{} {}", line.method, line.route));
        let texts = [
            ("http.request.method", Some(line.method.as_str())),
            ("http.route", Some(line.route)),
            ("multillm.request.id", Some(line.request_id.as_str())),
            ("multillm.caller", line.caller.as_deref()),
            ("session.id", line.session.as_deref()),
            ("multillm.lane", line.lane),
            ("multillm.end", Some(line.end)),
            ("error.type", line.error),
        ];
        self.span.set_attributes(said(texts));
        let status = i64::from(line.status);
        self.span
            .set_attribute(KeyValue::new("http.response.status_code", status));
        if line.status >= 500 || line.end == "cut" {
            self.span
                .set_status(Status::error(line.error.unwrap_or(line.end)));
        }
        self.span.end_with_timestamp(SystemTime::now());
        let Open {
            request_id, traces, ..
        } = self;
        traces.requests(|open| {
            let now = Instant::now();
            open.over.push_back((now, request_id));
            while let Some((since, _)) = open.over.front()
                && now.duration_since(*since) > LATE
                && let Some((_, id)) = open.over.pop_front()
            {
                open.spans.remove(&id);
            }
        });
    }
}

/// Those of these attributes that are known.
fn said<'t>(
    texts: impl IntoIterator<Item = (&'static str, Option<&'t str>)>,
) -> impl Iterator<Item = KeyValue> {
    let texts = texts.into_iter();
    let known: Vec<KeyValue> = texts
        .filter_map(|(name, text)| Some(KeyValue::new(name, text?.to_owned())))
        .collect();
    known.into_iter()
}

/// What is known of an attempt, by the conventions' names.
fn attributes(record: &Record) -> Vec<KeyValue> {
    let finish = match &record.outcome {
        Outcome::Success(finish) => Some(finish.as_str()),
        _ => None,
    };
    let failure = match &record.outcome {
        Outcome::Success(_) => None,
        Outcome::Error { kind, .. } => Some(kind.as_str()),
        Outcome::Cancelled => Some("cancelled"),
    };
    let texts = [
        ("gen_ai.operation.name", Some("chat")),
        ("gen_ai.provider.name", Some(provider(record))),
        ("gen_ai.request.model", Some(record.model.as_str())),
        ("gen_ai.response.model", record.vendor_model.as_deref()),
        ("gen_ai.response.id", record.vendor_id.as_deref()),
        ("gen_ai.conversation.id", record.conversation_id.as_deref()),
        ("gen_ai.agent.id", record.agent.as_deref()),
        ("error.type", failure),
    ];
    let mut attributes: Vec<KeyValue> = said(texts).collect();
    if let Some(finish) = finish {
        let reasons = vec![opentelemetry::StringValue::from(finish.to_owned())];
        let reasons = opentelemetry::Value::Array(reasons.into());
        attributes.push(KeyValue::new("gen_ai.response.finish_reasons", reasons));
    }
    let usage = &record.usage;
    for (name, count) in [
        ("gen_ai.usage.input_tokens", usage.prompt_tokens),
        ("gen_ai.usage.output_tokens", usage.completion_tokens),
        ("gen_ai.usage.cache_read.input_tokens", usage.cached_tokens),
        (
            "gen_ai.usage.cache_creation.input_tokens",
            usage.cache_write_tokens,
        ),
        ("multillm.attempt", Some(u64::from(record.attempt))),
    ] {
        if let Some(count) = count.and_then(|count| i64::try_from(count).ok()) {
            attributes.push(KeyValue::new(name, count));
        }
    }
    if let Some(cost) = record.cost {
        attributes.push(KeyValue::new("multillm.cost", cost.normalize().to_string()));
    }
    attributes
}

/// The conventions' names of vendors that are called otherwise here.
fn provider(record: &Record) -> &str {
    match record.provider.as_str() {
        "claude" => "anthropic",
        "gemini" => "gcp.gemini",
        "azure" => "azure.ai.openai",
        "mistral" => "mistral_ai",
        "xai" => "x_ai",
        other => other,
    }
}

/// Sends from this runtime, whichever thread has something to send.
#[derive(Debug)]
struct Post {
    client: Client<HttpConnector, Body>,
    runtime: Handle,
    told: AtomicBool,
}

#[async_trait::async_trait]
impl HttpClient for Post {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sending = async move {
            let (parts, body) = client.request(request.map(Body::from)).await?.into_parts();
            let body = to_bytes(Body::new(body), ANSWER).await?;
            Ok::<_, HttpError>(Response::from_parts(parts, body))
        };
        // Also the clock is the runtime's.
        let bounded = async move { tokio::time::timeout(DELIVERY, sending).await };
        let sent = self.runtime.spawn(bounded);
        let sent = match sent.await {
            Ok(Ok(sent)) => sent,
            Ok(Err(late)) => Err(late.into()),
            Err(ended) => Err(ended.into()),
        };
        if let Err(error) = &sent
            && !self.told.swap(true, Ordering::Relaxed)
        {
            tracing::warn!("traces do not reach their collector: {error}");
        }
        sent
    }
}
