//! `multillm serve`: the gateway, until it is told to stop.

use std::net::SocketAddr;
use std::time::Duration;

use multillm::MultiLlmService;
use multillm_gateway::{Options, Serving, serve};

use super::printer::Printer;
use super::{Context, Failure, key, memory, trust};

/// For what is recorded, after the last answer.
const AFTERWARDS: Duration = Duration::from_secs(10);

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to listen, such as 127.0.0.1:4000, in place of the configuration's gateway.listen
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

pub(super) async fn run(args: Args, context: &Context) -> Result<(), Failure> {
    let mut config = {
        let _nothing_to_lose = context.ending.at_once();
        trust::configuration(context)?
    };
    if let Some(listen) = args.listen {
        config.gateway.listen = listen;
    }
    context.ending.allow(config.gateway.drain + AFTERWARDS);
    let store = key::store(&config, context)?;
    let built = MultiLlmService::builder()
        .config(config)
        .env(context.env.clone());
    let service = built.build()?;
    for warning in service.warnings() {
        context.printer.note(&format!("warning: {warning}"));
    }
    context.keep(&service);
    let printer = Printer::new(false);
    let options = Options::with_keys(store)
        .lines(move |line| printer.note(line))
        .relieved(memory::give_back);
    let serving = serve(service.clone(), options).await?;
    let watch = service.watch(|reloaded| match reloaded {
        Ok(done) => tracing::info!(?done, "the configuration was read again"),
        Err(error) => tracing::warn!("{error}: the configuration stays as it was"),
    });
    if let Err(error) = &watch {
        tracing::info!("{error}");
    }
    tell(&serving, context)?;
    let cut = serving.until(async {
        let signal = context.ending.told().await;
        context.printer.note(&format!(
            "{signal}: no new requests; answers under way may end"
        ));
    });
    let cut = cut.await;
    drop(watch);
    service.close().await;
    match cut {
        0 => context.printer.note("stopped"),
        cut => context
            .printer
            .note(&format!("stopped; {cut} connections were cut")),
    }
    Ok(())
}

/// Where it is, and who may come in.
fn tell(serving: &Serving, context: &Context) -> Result<(), Failure> {
    let address = serving.address()?;
    let scheme = if serving.has_tls() { "https" } else { "http" };
    let url = format!("{scheme}://{address}");
    if context.json {
        let started = serde_json::json!({ "listening": url, "keys": !serving.is_open() });
        context.printer.json(&started)?;
        return Ok(());
    }
    context.printer.line(&format!("listening on {url}"))?;
    if serving.is_open() {
        context.printer.note(
            "no key is needed, so only this machine may ask, and no page of another host: \"multillm key create NAME\" \
             makes the first key",
        );
    }
    Ok(())
}
