//! The hub's HTTP: `GET {endpoint}/{repo}/resolve/{revision}/{file}`, a redirect to the store that
//! holds large files, and `Range` to go on after a cut.

use std::fs;
use std::path::Path;
use std::time::Duration;

use futures::StreamExt as _;
use reqwest::header::{AUTHORIZATION, ETAG, HeaderMap, IF_RANGE, LOCATION, RANGE};
use reqwest::{Client, Response, StatusCode, redirect};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt as _;

use crate::pull::{OnEvent, PullEvent, PullOptions};
use crate::store::StoreError;

/// A file on the hub.
pub(crate) struct Remote<'a> {
    pub(crate) repo: &'a str,
    pub(crate) revision: &'a str,
    pub(crate) file: &'a str,
    /// As the user wrote it, for messages.
    pub(crate) text: String,
}

/// What the hub says of a file before sending it.
struct Facts {
    /// SHA-256 of large files (the hub's linked ETag).
    sha256: Option<String>,
    size: Option<u64>,
    /// Identifies the content; a partial file of another content is thrown away.
    tag: Option<String>,
}

/// What a partial file is a part of.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct PartOf {
    url: String,
    tag: String,
}

/// Cuts in a row without a single new byte before we give up.
const FRUITLESS: u32 = 4;

/// Downloads to `part`, continuing what is there. Returns the SHA-256 that the hub promises.
pub(crate) async fn download(
    remote: &Remote<'_>,
    options: &PullOptions,
    part: &Path,
    on_event: OnEvent<'_>,
) -> Result<Option<String>, StoreError> {
    let url = format!(
        "{}/{}/resolve/{}/{}",
        options.endpoint.trim_end_matches('/'),
        remote.repo,
        remote.revision,
        remote.file
    );
    let facts = facts(remote, options, &url).await?;
    let client = client(options, redirect::Policy::limited(5)).map_err(|e| network(remote, &e))?;
    prepare_part(part, &url, &facts)?;
    let mut fruitless = 0;
    loop {
        let before = length(part);
        if facts.size.is_some_and(|size| before == size) {
            return Ok(facts.sha256);
        }
        let cut = match transfer(remote, options, &client, &url, part, &facts, on_event).await {
            Ok(()) if facts.size.is_none_or(|size| length(part) == size) => return Ok(facts.sha256),
            Ok(()) => format!("the connection closed after {} of {} bytes", length(part), facts.size.unwrap_or(0)),
            Err(Trouble::Final(error)) => return Err(error),
            Err(Trouble::Cut(detail)) => detail,
        };
        fruitless = if length(part) > before { 0 } else { fruitless + 1 };
        if fruitless >= FRUITLESS {
            return Err(StoreError::Network { source_text: remote.text.clone(), detail: cut });
        }
        tokio::time::sleep(Duration::from_millis(200 << fruitless)).await;
    }
}

enum Trouble {
    /// Worth going on from where we are.
    Cut(String),
    Final(StoreError),
}

/// Asks without following a redirect to another host: the hub's own headers name the content.
async fn facts(remote: &Remote<'_>, options: &PullOptions, url: &str) -> Result<Facts, StoreError> {
    let client = client(options, redirect::Policy::none()).map_err(|e| network(remote, &e))?;
    let mut url = url.to_owned();
    for _ in 0..5 {
        let request = authorised(client.head(&url), options);
        let response = request.send().await.map_err(|e| network(remote, &e))?;
        refuse(remote, &response)?;
        let location = header(response.headers(), LOCATION.as_str());
        match location.filter(|l| response.status().is_redirection() && l.starts_with('/')) {
            // A renamed repository: same host, relative.
            Some(path) => url = format!("{}{path}", options.endpoint.trim_end_matches('/')),
            None => return Ok(read_facts(&response)),
        }
    }
    Err(StoreError::Network { source_text: remote.text.clone(), detail: "the hub redirects in a circle".to_owned() })
}

fn read_facts(response: &Response) -> Facts {
    let headers = response.headers();
    let tag = header(headers, "x-linked-etag").or_else(|| header(headers, ETAG.as_str()));
    let tag = tag.map(|t| t.trim_start_matches("W/").trim_matches('"').to_owned());
    let own_size = header(headers, "content-length").filter(|_| response.status().is_success());
    Facts {
        sha256: tag.clone().filter(|t| t.len() == 64 && t.bytes().all(|b| b.is_ascii_hexdigit())),
        size: header(headers, "x-linked-size").or(own_size).and_then(|s| s.parse().ok()),
        tag,
    }
}

/// Keeps a partial file only if it is known to be of the same content.
fn prepare_part(part: &Path, url: &str, facts: &Facts) -> Result<(), StoreError> {
    let note = part.with_extension("part.json");
    let now = facts.tag.clone().map(|tag| PartOf { url: url.to_owned(), tag });
    let was = fs::read(&note).ok().and_then(|bytes| serde_json::from_slice::<PartOf>(&bytes).ok());
    let usable = now.is_some() && was == now && facts.size.is_none_or(|size| length(part) <= size);
    if !usable {
        fs::write(part, b"").map_err(StoreError::io("create", part))?;
    }
    match now.and_then(|now| serde_json::to_vec(&now).ok()) {
        Some(text) => fs::write(&note, text).map_err(StoreError::io("write", &note)),
        None => Ok(()),
    }
}

async fn transfer(
    remote: &Remote<'_>,
    options: &PullOptions,
    client: &Client,
    url: &str,
    part: &Path,
    facts: &Facts,
    on_event: OnEvent<'_>,
) -> Result<(), Trouble> {
    let have = length(part);
    let mut request = authorised(client.get(url), options);
    if have > 0 {
        request = request.header(RANGE, format!("bytes={have}-"));
        if let (Some(tag), None) = (&facts.tag, &facts.sha256) {
            request = request.header(IF_RANGE, format!("\"{tag}\""));
        }
    }
    let response = request.send().await.map_err(|e| Trouble::Cut(plain(&e)))?;
    refuse(remote, &response).map_err(|error| match error {
        StoreError::Network { detail, .. } => Trouble::Cut(detail),
        other => Trouble::Final(other),
    })?;
    let resumed = response.status() == StatusCode::PARTIAL_CONTENT;
    let total = facts.size.or_else(|| response.content_length().map(|rest| if resumed { have + rest } else { rest }));
    let io = |e| Trouble::Final(StoreError::io("write", part)(e));
    let mut file =
        tokio::fs::OpenOptions::new().append(resumed).write(true).truncate(!resumed).open(part).await.map_err(io)?;
    let mut done = if resumed { have } else { 0 };
    on_event(PullEvent::Bytes { done, total });
    let mut body = response.bytes_stream();
    while let Some(chunk) = body.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => {
                file.flush().await.map_err(io)?;
                return Err(Trouble::Cut(plain(&error)));
            }
        };
        file.write_all(&chunk).await.map_err(io)?;
        done += chunk.len() as u64;
        on_event(PullEvent::Bytes { done, total });
    }
    file.flush().await.map_err(io)?;
    file.sync_all().await.map_err(io)
}

fn client(options: &PullOptions, redirects: redirect::Policy) -> reqwest::Result<Client> {
    let agent = concat!("zeroerr/", env!("CARGO_PKG_VERSION"));
    Client::builder()
        .user_agent(agent)
        .redirect(redirects)
        .connect_timeout(Duration::from_secs(20))
        .read_timeout(options.idle)
        .build()
}

fn authorised(request: reqwest::RequestBuilder, options: &PullOptions) -> reqwest::RequestBuilder {
    match &options.token {
        Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
        None => request,
    }
}

fn refuse(remote: &Remote<'_>, response: &Response) -> Result<(), StoreError> {
    let status = response.status();
    let source_text = remote.text.clone();
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(StoreError::Forbidden(source_text)),
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            Err(StoreError::NoSuchSource { source_text, detail: format!("the hub answers {status}") })
        }
        _ if status.is_client_error() || status.is_server_error() => {
            Err(StoreError::Network { source_text, detail: format!("the hub answers {status}") })
        }
        _ => Ok(()),
    }
}

fn network(remote: &Remote<'_>, error: &reqwest::Error) -> StoreError {
    StoreError::Network { source_text: remote.text.clone(), detail: plain(error) }
}

/// The innermost cause says what happened; the outer ones repeat the address.
fn plain(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |m| m.len())
}
