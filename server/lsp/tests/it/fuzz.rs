//! A short, repeatable run of what `tests/fuzz` gives to cargo-fuzz. `ZEROERR_FUZZ=N` sets the number
//! of inputs of each (500).

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::torture::documents::random_text;

#[path = "../../../../tests/fuzz/targets.rs"]
mod targets;

/// Texts made of what matters, some of them with bytes that are none.
fn inputs(seed: u64) -> impl Iterator<Item = Vec<u8>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let count = std::env::var("ZEROERR_FUZZ").map_or(500, |n| n.parse().expect("ZEROERR_FUZZ is a number"));
    (0..count).map(move |_| {
        let mut bytes = vec![rng.random()];
        bytes.extend_from_slice(random_text(&mut rng, 30).as_bytes());
        if rng.random_ratio(1, 3) {
            bytes.extend_from_slice(b"\n----\n```python\nimport re\ndef f(x: int) -> int:\n    return 2 * x\n```\n");
        }
        for _ in 0..rng.random_range(0..3) {
            let at = rng.random_range(0..bytes.len());
            bytes[at] = rng.random();
        }
        bytes
    })
}

#[test]
fn the_reader_survives_anything() {
    inputs(1).for_each(|data| targets::reader(&data));
}

#[test]
fn spec_parsers_survive_anything() {
    inputs(2).for_each(|data| targets::specs(&data));
}

#[test]
fn only_the_function_is_replaced_whatever_the_response() {
    inputs(3).for_each(|data| targets::splice(&data));
}
