//! A small HTTP/1.1 server for tests: one closure answers, the connection is in its hands.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `GET`, `HEAD`, `POST`.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Header lines, lower-case.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Asked {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    }
}

/// A running server; dropped with the test's runtime.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Everything that was asked, in order.
    pub asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Its address as the beginning of a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
    /// How many requests came.
    pub fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

/// Starts a server; every connection serves one request.
pub async fn serve<F, R>(answer: F) -> Server
where
    F: Fn(usize, Asked, TcpStream) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
            tokio::spawn(async move {
                let Some(asked) = read_request(&mut stream).await else { return };
                let number = {
                    let mut log = log.lock().unwrap();
                    log.push(asked.clone());
                    log.len() - 1
                };
                answer(number, asked, stream).await;
            });
        }
    });
    Server { address, asked }
}

async fn read_request(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut first = head.lines().next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let head: String = head
        .lines()
        .skip(1)
        .map(|l| l.split_once(':').map_or(String::new(), |(k, v)| format!("{}:{v}\n", k.to_lowercase())))
        .collect();
    let mut asked = Asked { method, path, head, body: String::new() };
    let length: usize = asked.header("content-length").map_or(0, |l| l.parse().unwrap());
    while bytes.len() < end + 4 + length {
        stream.read_buf(&mut bytes).await.ok()?;
    }
    asked.body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
    Some(asked)
}

/// Sends a whole answer and closes.
pub async fn reply(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body).await;
    let _ = stream.shutdown().await;
}
