//! Server-sent events, as far as chat streams use them: `data:` lines, ended by `[DONE]`.

/// Splits a byte stream into the texts of its `data:` lines.
#[derive(Default)]
pub(crate) struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes more bytes; returns the data of every line that is now complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(bytes);
        let mut out = Vec::new();
        while let Some(end) = self.rest.iter().position(|&b| b == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            if let Some(data) = line.trim_end().strip_prefix("data:") {
                out.push(data.trim_start().to_owned());
            }
        }
        out
    }

    /// Bytes of a line that has not ended; a server that never ends one is no chat server.
    pub(crate) fn pending(&self) -> usize {
        self.rest.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn where_the_network_cuts_makes_no_difference(cuts in prop::collection::vec(1usize..9, 0..40)) {
            let stream = ": ping\r\ndata: {\"a\":\"é→\"}\r\n\r\nevent: x\ndata:two\n\ndata: [DONE]\n\n".as_bytes();
            let (mut lines, mut got, mut at) = (Lines::default(), Vec::new(), 0);
            for cut in cuts {
                let end = (at + cut).min(stream.len());
                got.extend(lines.push(&stream[at..end]));
                at = end;
            }
            got.extend(lines.push(&stream[at..]));
            prop_assert_eq!(got, ["{\"a\":\"é→\"}", "two", "[DONE]"]);
        }
    }
}
