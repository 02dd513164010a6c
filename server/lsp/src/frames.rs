//! Framing that survives bad input.
//!
//! A single wrong length must not end the server: [`Splitter`] finds the next message after any
//! garbage, and says of what it dropped that it was malformed. It does no I/O, so that it can be
//! fuzzed.

use serde::Deserialize;
use tower_lsp::jsonrpc::Id;

/// Headers longer than this without an end are garbage.
const MAX_HEADER: usize = 8 * 1024;
/// A larger body than this is refused: no editor sends one, and it must not fill the memory.
const MAX_BODY: usize = 512 * 1024 * 1024;
const LENGTH: &[u8] = b"Content-Length:";

/// What was cut off the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// The body of a message that is JSON-RPC.
    Message(Vec<u8>),
    /// Bytes that are none; the sentence says what is wrong with them.
    Malformed(&'static str),
}

/// Cuts a byte stream into messages.
#[derive(Debug, Default)]
pub struct Splitter {
    buffer: Vec<u8>,
}

impl Splitter {
    /// Takes bytes in.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame, or `None` until more bytes come.
    pub fn next_frame(&mut self) -> Option<Frame> {
        match find(&self.buffer, LENGTH) {
            Some(0) => self.message(),
            Some(at) => {
                let headers_only = only_headers(&self.buffer[..at]);
                if headers_only {
                    return self.message();
                }
                self.buffer.drain(..at);
                Some(Frame::Malformed("bytes before a Content-Length header"))
            }
            None if self.buffer.len() > MAX_HEADER => {
                let keep = LENGTH.len();
                self.buffer.drain(..self.buffer.len() - keep);
                Some(Frame::Malformed("no Content-Length header"))
            }
            None => {
                let end = find(&self.buffer, b"\r\n\r\n")?;
                self.buffer.drain(..end + 4);
                Some(Frame::Malformed("headers without a Content-Length"))
            }
        }
    }

    /// A message whose headers begin the buffer.
    fn message(&mut self) -> Option<Frame> {
        let Some(end) = find(&self.buffer, b"\r\n\r\n") else {
            return (self.buffer.len() > MAX_HEADER).then(|| self.resync("headers without an end"));
        };
        let Some(length) = content_length(&self.buffer[..end]).filter(|&n| n <= MAX_BODY) else {
            return Some(self.resync("a Content-Length that is no usable number"));
        };
        let body = end + 4;
        if self.buffer.len() < body + length {
            return None;
        }
        match check(&self.buffer[body..body + length]) {
            Ok(()) => {
                let message = self.buffer[body..body + length].to_vec();
                self.buffer.drain(..body + length);
                Some(Frame::Message(message))
            }
            Err(why) => Some(self.resync_after(body, body + length, why)),
        }
    }

    /// Drops what stands before the next header after the first.
    fn resync(&mut self, why: &'static str) -> Frame {
        self.resync_after(1, self.buffer.len(), why)
    }

    /// Drops up to the next header in `from..to`, or up to `to`: a length that was too long must
    /// not take the message after it along.
    fn resync_after(&mut self, from: usize, to: usize, why: &'static str) -> Frame {
        // The header may stand across `to`, and its second half may not be here yet.
        let headers = &self.buffer[from..self.buffer.len().min(to + LENGTH.len() - 1)];
        let begins = |at: &usize| LENGTH.starts_with(&headers[*at..]) || headers[*at..].starts_with(LENGTH);
        let next = (0..to - from).find(begins).map_or(to, |at| from + at);
        self.buffer.drain(..next);
        Frame::Malformed(why)
    }
}

/// Whether these bytes are complete header lines.
fn only_headers(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\r\n")
        && !bytes.starts_with(b"\r\n")
        && std::str::from_utf8(bytes)
            .is_ok_and(|text| text.lines().all(|line| line.split_once(':').is_some_and(|(name, _)| is_token(name))))
}

fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn content_length(headers: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(headers).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Content-Length:"))?.trim().parse().ok()
}

/// Whether a body is a JSON-RPC message.
fn check(body: &[u8]) -> Result<(), &'static str> {
    /// What every request, notification and response has in common.
    #[derive(Deserialize)]
    struct Shape<'a> {
        jsonrpc: &'a str,
        #[serde(default, rename = "id")]
        _id: Option<Id>,
        #[serde(default, rename = "method", borrow)]
        _method: Option<std::borrow::Cow<'a, str>>,
    }
    let text = std::str::from_utf8(body).map_err(|_| "a body that is not UTF-8")?;
    let shape: Shape<'_> = serde_json::from_str(text).map_err(|_| "a body that is not a JSON-RPC message")?;
    if shape.jsonrpc == "2.0" { Ok(()) } else { Err("a body of another JSON-RPC version") }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|w| w == needle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

    fn framed(body: &str) -> Vec<u8> {
        format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    fn all(bytes: &[u8]) -> Vec<Frame> {
        let mut splitter = Splitter::default();
        splitter.push(bytes);
        std::iter::from_fn(|| splitter.next_frame()).collect()
    }

    fn messages(bytes: &[u8]) -> usize {
        all(bytes).into_iter().filter(|f| matches!(f, Frame::Message(_))).count()
    }

    #[test]
    fn good_messages_pass_unchanged_with_either_header_first() {
        let typed = format!(
            "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: {}\r\n\r\n{PING}",
            PING.len()
        );
        let stream = [framed(PING), typed.into_bytes()].concat();
        assert_eq!(all(&stream), vec![Frame::Message(PING.into()), Frame::Message(PING.into())]);
    }

    #[test]
    fn the_message_after_a_bad_one_is_not_lost() {
        let too_short = format!("Content-Length: {}\r\n\r\n{PING}", PING.len() - 5).into_bytes();
        let too_long = format!("Content-Length: {}\r\n\r\n{PING}", PING.len() + 30).into_bytes();
        let cases: [Vec<u8>; 8] = [
            too_short,
            too_long,
            framed("{not json"),
            framed(r#"{"jsonrpc":"1.0","method":"x"}"#),
            framed("[1,2]"),
            framed(""),
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            b"Content-Length: many\r\n\r\n".to_vec(),
        ];
        for bad in cases {
            let stream = [bad.clone(), framed(PING)].concat();
            let frames = all(&stream);
            assert_eq!(frames.last(), Some(&Frame::Message(PING.into())), "{:?}", String::from_utf8_lossy(&bad));
            assert!(
                frames.iter().any(|f| matches!(f, Frame::Malformed(_))),
                "{:?} went unnoticed",
                String::from_utf8_lossy(&bad)
            );
        }
    }

    /// Also when the length reaches into the header of the next message, whose rest is still to come.
    #[test]
    fn a_length_that_is_too_long_by_anything_takes_nothing_along() {
        for more in 1..60 {
            let bad = format!("Content-Length: {}\r\n\r\n{PING}", PING.len() + more).into_bytes();
            let stream = [bad, framed(PING), framed(PING)].concat();
            for cut in [0, PING.len() + more + 22, stream.len()] {
                let mut splitter = Splitter::default();
                let mut seen = 0;
                for part in [&stream[..cut], &stream[cut..]] {
                    splitter.push(part);
                    seen +=
                        std::iter::from_fn(|| splitter.next_frame()).filter(|f| matches!(f, Frame::Message(_))).count();
                }
                assert_eq!(seen, 2, "too long by {more}, cut at {cut}");
            }
        }
    }

    #[test]
    fn a_length_that_would_fill_the_memory_is_refused() {
        let stream = [b"Content-Length: 99999999999\r\n\r\n{}".to_vec(), framed(PING)].concat();
        assert_eq!(messages(&stream), 1);
    }

    proptest! {
        #[test]
        fn garbage_never_panics_and_never_hides_a_message_that_follows(
            garbage in prop::collection::vec(prop_oneof![3 => any::<u8>(), 1 => prop::sample::select(b"Content-Length: 7\r\n\r\n{}".to_vec())], 0..200),
            cuts in prop::collection::vec(1usize..50, 0..10),
        ) {
            // Two messages follow: a length in the garbage may legally swallow the first.
            let stream = [garbage, framed(PING), framed(PING)].concat();
            let mut splitter = Splitter::default();
            let mut seen = 0;
            let mut rest: &[u8] = &stream;
            for cut in cuts.iter().chain(std::iter::once(&usize::MAX)) {
                let (now, later) = rest.split_at((*cut).min(rest.len()));
                splitter.push(now);
                rest = later;
                while let Some(frame) = splitter.next_frame() {
                    seen += usize::from(matches!(frame, Frame::Message(_)));
                }
            }
            // A huge claimed length legally waits for more; small ones must have ended by now.
            prop_assert!(seen >= 1 || splitter.buffer.len() > PING.len());
        }
    }
}
