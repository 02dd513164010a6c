//! Model pool, loaders, prompts and the OpenAI-compatible client; the only crate that compiles mistral.rs.
//!
//! * [`store`] keeps model files in the user's data folder, [`source`] says where they come from,
//!   [`pull`] fetches them (`hub`, wheel, file).
//! * [`model_pool`] shares named models: loaded when first asked for, unloaded when idle, guarded
//!   by a breaker and retries. [`model_loader`] makes one model of its configuration.
//! * [`mistral`] decodes in process, [`openai`] asks a server.
//! * [`prompt_templates`] turns a task into messages.

#[cfg(feature = "mistralrs")]
pub mod gguf;
mod hub;
#[cfg(feature = "mistralrs")]
pub mod mistral;
pub mod model_loader;
pub mod model_pool;
pub mod openai;
pub mod prompt_templates;
pub mod pull;
pub mod replay;
pub mod sampling;
pub mod source;
mod sse;
pub mod store;
mod wheel;
