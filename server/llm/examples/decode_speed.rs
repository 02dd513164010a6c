//! Prints how fast a GGUF model decodes: one greedy stream, then eight samples of one prompt.
//!
//! `cargo run -p zeroerr-llm --features mistralrs --example decode_speed -- MODEL.gguf [COPY.gguf]`;
//! with COPY the weights are first rewritten for this CPU, as `zeroerr` itself does.

use std::path::PathBuf;
use std::time::Instant;

use zeroerr_core::ports::{Message, Model, ModelError, Role, SampleRequest};
use zeroerr_llm::mistral::{LoadOptions, MistralModel};

const TOKENS: usize = 96;

#[tokio::main]
async fn main() -> Result<(), ModelError> {
    let mut args = std::env::args().skip(1);
    let Some(path) = args.next().map(PathBuf::from) else {
        return Err(ModelError::Rejected("usage: decode_speed MODEL.gguf [COPY.gguf]".to_owned()));
    };
    let options = LoadOptions { optimised_copy: args.next().map(PathBuf::from), ..LoadOptions::new("speed") };
    let start = Instant::now();
    let model = MistralModel::load(&path, options).await?;
    println!("loaded in {:.2} s", start.elapsed().as_secs_f64());

    // The first request of a prompt reads it; the second finds it cached.
    let (read, _) = timed(&model, 0.0, 0, 1).await?;
    println!("prompt read in {read:.2} s");
    let (seconds, tokens) = timed(&model, 0.0, 0, TOKENS).await?;
    println!("one stream, greedy: {tokens} tokens, {:.1} tokens/s", tokens as f64 / seconds);

    let start = Instant::now();
    let eight = futures::future::try_join_all((0..8).map(|seed| timed(&model, 0.8, seed, TOKENS))).await?;
    let (all, seconds) = (eight.iter().map(|e| e.1).sum::<usize>(), start.elapsed().as_secs_f64());
    let first = eight.iter().map(|e| e.0).fold(f64::INFINITY, f64::min);
    println!(
        "eight samples, T 0.8: {all} tokens, {:.1} tokens/s in all, first done after {first:.2} s",
        all as f64 / seconds
    );
    Ok(())
}

/// Seconds and tokens of one sample.
async fn timed(
    model: &MistralModel,
    temperature: f64,
    seed: u64,
    max_tokens: usize,
) -> Result<(f64, usize), ModelError> {
    let say = |role, content: &str| Message { role, content: content.to_owned() };
    let request = SampleRequest {
        messages: vec![
            say(Role::System, "You are a Python programmer."),
            say(Role::User, "Write a long story about a list of numbers that wants to be sorted."),
        ],
        temperature,
        top_p: 1.0,
        seed,
        max_tokens,
        stop: Vec::new(),
        constraint: None,
    };
    let start = Instant::now();
    let response = model.sample(request).await?;
    Ok((start.elapsed().as_secs_f64(), response.completion_tokens))
}
