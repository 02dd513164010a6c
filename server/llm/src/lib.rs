//! Model pool, loaders, prompts and the OpenAI-compatible client; the only crate that compiles mistral.rs.
