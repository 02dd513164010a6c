//! Takes secrets out of a text before it is written anywhere.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What stands in a secret's place.
pub const REDACTED: &str = "<redacted>";

/// Each pattern has one group, the part before the secret, which is kept.
static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let patterns = [
        // Authorization headers.
        r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}",
        // key=value and "key": "value" of anything that sounds like a secret.
        r#"(?i)(\b[\w-]*(?:api[_-]?key|token|secret|passwd|password)\\?["']?\s*[:=]\s*\\?["']?)[^\s"'\\,;&}<]{4,}"#,
        // User name and password in an address.
        r"(\bhttps?://)[^\s/@]+@",
        // Keys that are known by their looks.
        r"()\b(?:sk|hf|ghp|gho|glpat|xoxb)[-_][A-Za-z0-9_-]{8,}",
    ];
    patterns.iter().filter_map(|p| Regex::new(p).ok()).collect()
});

/// The text without its secrets.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut out = Cow::Borrowed(text);
    for pattern in PATTERNS.iter() {
        let keep_at = |c: &Captures<'_>| {
            let tail = if c[0].ends_with('@') { "@" } else { "" };
            format!("{}{REDACTED}{tail}", &c[1])
        };
        if let Cow::Owned(clean) = pattern.replace_all(&out, keep_at) {
            out = Cow::Owned(clean);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(PATTERNS.len(), 4);
    }

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let cases = [
            ("Authorization: Bearer abc.def-123", "Authorization: Bearer <redacted>"),
            ("api_key: s3cretvalue, model=m", "api_key: <redacted>, model=m"),
            (r#"{"apiKey":"s3cretvalue","k":3}"#, r#"{"apiKey":"<redacted>","k":3}"#),
            (r#"{\"api_key\":\"s3cretvalue\"}"#, r#"{\"api_key\":\"<redacted>\"}"#),
            ("HF_TOKEN=hf_abcdefghijkl", "HF_TOKEN=<redacted>"),
            ("GET http://me:pw@host/v1", "GET http://<redacted>@host/v1"),
            ("key sk-abcdefgh12345 refused", "key <redacted> refused"),
        ];
        for (text, expected) in cases {
            assert_eq!(redact(text), expected);
        }
        for harmless in
            ["750 tokens: ok", "max_tokens=750", "http://host/v1?a=b@c", "task sk-1", "def tokenize(s): ..."]
        {
            assert_eq!(redact(harmless), harmless);
        }
    }
}
