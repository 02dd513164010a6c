//! Who answers a request for a sample: the model that the swarm names, or another where that one cannot.

use std::sync::Arc;
use std::time::Duration;

use zeroerr_core::ports::{Model, ModelError, SampleRequest, SampleResponse};
use zeroerr_core::state_manager::SampleFate;

use crate::executor::Drawn;

/// How long a request waits for models that are left alone: the breaker's time once, not a second time.
const PATIENCE: Duration = Duration::from_secs(45);
/// How often is looked whether a model works again that another call tries.
const GLANCE: Duration = Duration::from_millis(200);

/// The answer of the model called `first`, or else of the first that gives one. Models that are left alone are asked once
/// more when their time is over, if there is no other.
///
/// # Errors
/// What the request comes to instead: a sample without an answer, which is drawn anew, or the end of the step, where no
/// model can be had.
pub(crate) async fn answer(
    models: &[Arc<dyn Model>],
    first: &str,
    request: &SampleRequest,
) -> Result<SampleResponse, Drawn> {
    let at = models.iter().position(|m| m.name() == first).unwrap_or(0);
    let (before, from) = models.split_at(at.min(models.len()));
    let mut waited = Duration::ZERO;
    loop {
        let mut refused = None;
        let mut pause: Option<Duration> = None;
        for model in from.iter().chain(before) {
            let error = match model.sample(request.clone()).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if let ModelError::Transient(why) = error {
                let (model, fate) = (model.name().to_owned(), SampleFate::Failed(why));
                return Err(Drawn::Ended { completion_tokens: 0, model, fate, rejected: None });
            }
            if let ModelError::LeftAlone { for_ms, .. } = &error {
                let own = Duration::from_millis(*for_ms);
                pause = Some(pause.map_or(own, |other| other.min(own)));
            }
            refused.get_or_insert_with(|| format!("model {}: {error}", model.name()));
        }
        match pause.filter(|own| waited + *own <= PATIENCE) {
            Some(own) => {
                waited += own;
                tokio::time::sleep(own.max(GLANCE)).await;
            }
            None => {
                let none = || "no model is configured; run `zeroerr models list`".to_owned();
                return Err(Drawn::Broken(refused.unwrap_or_else(none)));
            }
        }
    }
}
