//! Moments and spans of time for people.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds since 1970 as `2026-11-24 11:40` (UTC).
pub fn minute(ms: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(ms.div_euclid(1000)).ok();
    let text = moment.and_then(|m| m.format(&Rfc3339).ok()).unwrap_or_default();
    text.get(..16).map_or_else(|| format!("{ms} ms"), |t| t.replacen('T', " ", 1))
}

/// `850 ms`, `12.4 s`, `3 min 5 s`, `2 h 14 min`.
pub fn span(ms: u64) -> String {
    let seconds = ms / 1000;
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{:.1} s", ms as f64 / 1000.0),
        60_000..3_600_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short_and_total() {
        assert_eq!(minute(1_764_000_000_000), "2025-11-24 16:00");
        assert_eq!(minute(i64::MAX), format!("{} ms", i64::MAX));
        assert_eq!([999, 12_420, 185_000, 8_040_000].map(span), ["999 ms", "12.4 s", "3 min 5 s", "2 h 14 min"]);
    }
}
