//! One connection: requests in, scripts out, with an eye on whether the client is still there.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf,
};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::server::TlsStream;

use crate::hub::Hub;
use crate::log::Outcome;
use crate::reply::{Delivery, Finale, Reply, Script};
use crate::vendor::Vendor;

use super::{control, http1};

/// A stalled stream is given up after this.
const STALL_LIMIT: Duration = Duration::from_secs(120);
/// How often a stalled stream sends its filler.
const FILLER_GAP: Duration = Duration::from_millis(100);
/// What a client may send ahead while it is being answered.
const AHEAD_LIMIT: usize = 1024 * 1024;

/// A transport whose close can be turned into a reset.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin {
    fn reset_on_close(&self) -> io::Result<()>;
}

impl Transport for TcpStream {
    fn reset_on_close(&self) -> io::Result<()> {
        self.set_zero_linger()
    }
}

impl Transport for TlsStream<TcpStream> {
    fn reset_on_close(&self) -> io::Result<()> {
        self.get_ref().0.set_zero_linger()
    }
}

/// How a connection goes on after an exchange.
enum After {
    Next,
    Close,
    Reset,
}

/// Answers requests until either side ends the connection.
pub(super) async fn serve<S: Transport>(stream: S, hub: &Hub) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut buffer = BytesMut::new();
    loop {
        match exchange(&mut reader, &mut writer, &mut buffer, hub).await {
            After::Next => {}
            After::Close => {
                let _ = writer.shutdown().await;
                return;
            }
            After::Reset => {
                let _ = reader.unsplit(writer).reset_on_close();
                return;
            }
        }
    }
}

async fn exchange<S: Transport>(
    reader: &mut ReadHalf<S>,
    writer: &mut WriteHalf<S>,
    buffer: &mut BytesMut,
    hub: &Hub,
) -> After {
    let mut request = match http1::read(reader, writer, buffer).await {
        Ok(Some(request)) => request,
        Ok(None) => return After::Close,
        Err(error) => {
            let script = Reply::new(400, "text/plain", format!("bad request: {error}"))
                .script(true, false, false);
            let _ = writer
                .write_all(&[script.head.as_slice(), &script.pieces.concat()].concat())
                .await;
            return After::Close;
        }
    };
    // At its usual address Ollama has no path of its own.
    if request
        .segments()
        .first()
        .is_some_and(|first| first == "api")
    {
        request.path.insert_str(0, "/ollama");
    }
    let segments = request.segments();
    let vendor = segments.first().and_then(|name| Vendor::from_name(name));
    if vendor.is_none() && segments.first().is_some_and(|first| first == "control") {
        let script =
            control::answer(&request, hub).script(request.http_1_1, request.keep_alive, false);
        let sent = send(writer, &script, &Delivery::default(), || {}).await;
        return if sent.is_ok() && request.keep_alive {
            After::Next
        } else {
            After::Close
        };
    }
    let number = hub.log.open(&request, vendor);
    let mut reply = crate::wire::answer(&request, vendor, hub);
    if reply.is_streamed() && reply.delivery.gap.is_zero() {
        reply.delivery.gap = hub.options.event_gap;
    }
    let (status, delivery) = (reply.status, reply.delivery.clone());
    let script = reply.script(
        request.http_1_1,
        request.keep_alive,
        request.method == "HEAD",
    );
    let closes = !request.keep_alive || (!script.chunked && !head_has_length(&script));
    let outcome = tokio::select! {
        biased;
        () = client_gone(reader, buffer) => None,
        sent = send(writer, &script, &delivery, || hub.log.status(number, status)) => sent.ok(),
    };
    let gone = Outcome::ClientGone {
        after: Duration::ZERO,
    };
    match (outcome, &script.finale) {
        (None, _) => {
            hub.log.close(number, gone);
            After::Close
        }
        (Some(()), Finale::Complete) => {
            hub.log.close(number, Outcome::Completed);
            if closes { After::Close } else { After::Next }
        }
        (Some(()), Finale::Reset) => {
            hub.log.close(number, Outcome::Cut);
            After::Reset
        }
        (Some(()), Finale::Cut | Finale::Close | Finale::Stall(_) | Finale::Nothing) => {
            hub.log.close(number, Outcome::Cut);
            if script.finale == Finale::Cut && !closes {
                After::Next
            } else {
                After::Close
            }
        }
    }
}

fn head_has_length(script: &Script) -> bool {
    String::from_utf8_lossy(&script.head).contains("\r\ncontent-length:")
}

/// Writes a script. An error means that the client is gone.
async fn send<W: AsyncWrite + Unpin>(
    writer: &mut W,
    script: &Script,
    delivery: &Delivery,
    mut head_sent: impl FnMut(),
) -> io::Result<()> {
    sleep_if_any(delivery.before_head).await;
    if script.finale == Finale::Nothing {
        return Ok(());
    }
    let whole =
        matches!(script.finale, Finale::Complete) && !script.chunked && script.pieces.len() <= 1;
    let mut head = script.head.clone();
    if whole {
        // One write for a plain answer, as a server with a buffer does.
        head.extend(script.pieces.concat());
    }
    writer.write_all(&head).await?;
    writer.flush().await?;
    head_sent();
    if whole {
        return Ok(());
    }
    let ends_chunks = script.chunked && matches!(script.finale, Finale::Complete | Finale::Cut);
    for (index, piece) in script.pieces.iter().enumerate() {
        if index > 0 {
            sleep_if_any(delivery.gap).await;
        }
        let last = ends_chunks && index + 1 == script.pieces.len();
        writer
            .write_all(&framed(piece, script.chunked, last))
            .await?;
        writer.flush().await?;
    }
    if ends_chunks && script.pieces.is_empty() {
        writer.write_all(b"0\r\n\r\n").await?;
    }
    if let Finale::Stall(filler) = &script.finale {
        // Ending the stall by itself is a cut; the caller sees the client leave before that.
        let _ =
            tokio::time::timeout(STALL_LIMIT, stall(writer, filler.as_ref(), script.chunked)).await;
    }
    writer.flush().await
}

/// A piece as it stands on the wire; the end of all chunks goes out with the last one, so that a client
/// that leaves once it has read everything is not taken for one that left early.
fn framed(piece: &Bytes, chunked: bool, last: bool) -> Bytes {
    if !chunked {
        return piece.clone();
    }
    let mut bytes = format!("{:x}\r\n", piece.len()).into_bytes();
    bytes.extend_from_slice(piece);
    bytes.extend_from_slice(if last { b"\r\n0\r\n\r\n" } else { b"\r\n" });
    bytes.into()
}

async fn stall<W: AsyncWrite + Unpin>(
    writer: &mut W,
    filler: Option<&Bytes>,
    chunked: bool,
) -> io::Result<()> {
    loop {
        sleep(FILLER_GAP).await;
        if let Some(filler) = filler {
            writer.write_all(&framed(filler, chunked, false)).await?;
            writer.flush().await?;
        }
    }
}

async fn sleep_if_any(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

/// Waits until the client closes or resets; keeps what it sends meanwhile.
async fn client_gone<R: AsyncRead + Unpin>(reader: &mut R, buffer: &mut BytesMut) {
    while buffer.len() < AHEAD_LIMIT {
        match reader.read_buf(buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    std::future::pending().await
}
