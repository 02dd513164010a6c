//! The loop between the streams and the service.
//!
//! tower-lsp has one of its own; this one differs in what a client can see. Everything leaves in
//! the order in which it was given: what was said before an answer is written before that answer,
//! so that partial results come before the end of their request. Nothing waits for a client that
//! does not read, so that `$/cancelRequest` and edits get through while answers queue. A message
//! that cannot be read is answered with an error and skipped.

use std::pin::pin;
use std::time::Duration;

use futures::future::FutureExt as _;
use futures::stream::{FuturesUnordered, StreamExt as _};
use futures::{SinkExt as _, future};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel};
use tokio_util::task::AbortOnDropHandle;
use tower::Service;
use tower_lsp::jsonrpc::{Error, Id, Request, Response};
use tower_lsp::{ClientSocket, ExitedError};

use crate::frames::{Frame, Splitter};

/// Messages read ahead.
const READ_AHEAD: usize = 256;
/// Messages written with one flush, at most.
const BATCH: usize = 64;
/// How long answers may still be written after the client closed its end.
const DRAIN: Duration = Duration::from_secs(1);

/// Serves one client until it exits or closes `stdin`.
pub(crate) async fn serve<S>(
    stdin: impl AsyncRead + Unpin + Send + 'static,
    stdout: impl AsyncWrite + Unpin + Send + 'static,
    service: S,
    socket: ClientSocket,
) where
    S: Service<Request, Response = Option<Response>, Error = ExitedError>,
{
    let (frames, inbox) = channel(READ_AHEAD);
    let (out, messages) = unbounded_channel();
    let _reader = AbortOnDropHandle::new(tokio::spawn(read(stdin, frames)));
    let writer = AbortOnDropHandle::new(tokio::spawn(write(stdout, messages)));
    exchange(service, socket, inbox, Out(out)).await;
    // `out` is gone, so the writer ends with what it has; a client that does not read is left.
    drop(tokio::time::timeout(DRAIN, writer).await);
}

/// Hands messages to the service and its answers to the writer.
async fn exchange<S>(mut service: S, socket: ClientSocket, mut inbox: Receiver<Frame>, out: Out)
where
    S: Service<Request, Response = Option<Response>, Error = ExitedError>,
{
    let (mut said, mut answers) = socket.split();
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            biased;
            Some(request) = said.next() => out.send(&request),
            Some(end) = running.next() => {
                // What was said before this answer may have come since the line above.
                while let Some(Some(request)) = said.next().now_or_never() {
                    out.send(&request);
                }
                out.answer(end);
            }
            frame = inbox.recv() => match frame {
                None => break,
                Some(Frame::Malformed(why)) => {
                    tracing::warn!("dropped from the client's stream: {why}");
                    out.send(&Response::from_error(Id::Null, Error::parse_error()));
                }
                Some(Frame::Message(body)) => match Incoming::parse(&body) {
                    Some(Incoming::Answer(response)) => drop(answers.send(response).await),
                    Some(Incoming::Call(request)) => {
                        let leaves = request.method() == "exit";
                        if future::poll_fn(|cx| service.poll_ready(cx)).await.is_err() {
                            return;
                        }
                        running.push(service.call(request));
                        if leaves {
                            return;
                        }
                    }
                    None => out.send(&Response::from_error(Id::Null, Error::invalid_request())),
                },
            },
        }
    }
    // The end of input: what is nearly done may still be answered.
    let rest = async {
        while let Some(end) = running.next().await {
            out.answer(end);
        }
    };
    drop(tokio::time::timeout(DRAIN, pin!(rest)).await);
}

/// The way to the writer.
struct Out(UnboundedSender<Vec<u8>>);

impl Out {
    fn answer(&self, end: Result<Option<Response>, ExitedError>) {
        if let Ok(Some(response)) = end {
            self.send(&response);
        }
    }

    fn send(&self, message: &impl Serialize) {
        match serde_json::to_vec(message) {
            Ok(body) => drop(self.0.send(body)),
            Err(error) => tracing::error!("could not write a message: {error}"),
        }
    }
}

/// A message of the client.
enum Incoming {
    Call(Request),
    Answer(Response),
}

impl Incoming {
    fn parse(body: &[u8]) -> Option<Self> {
        match serde_json::from_slice::<Request>(body) {
            Ok(request) if !request.method().is_empty() => Some(Self::Call(request)),
            _ => serde_json::from_slice(body).ok().map(Self::Answer),
        }
    }
}

async fn read(mut from: impl AsyncRead + Unpin, frames: Sender<Frame>) {
    let mut splitter = Splitter::default();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let n = match from.read(&mut chunk).await {
            Ok(0) | Err(_) => return,
            Ok(n) => n,
        };
        splitter.push(chunk.get(..n).unwrap_or_default());
        while let Some(frame) = splitter.next_frame() {
            if frames.send(frame).await.is_err() {
                return;
            }
        }
    }
}

/// Writes messages until there are no more; a stream that cannot be written any more ends it.
async fn write(mut to: impl AsyncWrite + Unpin, mut messages: UnboundedReceiver<Vec<u8>>) {
    let mut batch = Vec::new();
    let mut bytes = Vec::new();
    while messages.recv_many(&mut batch, BATCH).await > 0 {
        bytes.clear();
        for body in batch.drain(..) {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
            bytes.extend_from_slice(&body);
        }
        if to.write_all(&bytes).await.is_err() || to.flush().await.is_err() {
            return;
        }
    }
}
