//! The models of one process: shared by name, loaded when first asked for, unloaded when idle.
//!
//! Every call goes through the model's breaker, its retries and its concurrency limit. Dropping a
//! sample's future cancels it in the engine, frees its place and tells the breaker nothing.

mod told;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use zeroerr_core::circuit_breaker::{BreakerConfig, BreakerState, CircuitBreaker};
use zeroerr_core::error_handler::{ErrorClass, RetryBudget, RetryPolicy};
use zeroerr_core::ports::{BoxFuture, Model, ModelError, SampleRequest, SampleResponse};

pub use self::told::{LoadState, ModelStatus, OnPoolEvent, PoolEvent};
use crate::model_loader::{ModelConfig, ModelLoader, ModelRole};

/// The pool's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoolConfig {
    /// The models; the first that serves a role is that role's default.
    pub models: Vec<ModelConfig>,
    /// Seconds without a sample after which a model is unloaded; 0 keeps it.
    pub idle_unload_s: u64,
    /// Seconds that a model may take for one sample; 0 lets it take for ever.
    pub sample_limit_s: u64,
    /// Retries of transient failures.
    pub retry: RetryPolicy,
    /// When a failing model is left alone.
    pub breaker: BreakerConfig,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            models: vec![ModelConfig::default()],
            idle_unload_s: 600,
            sample_limit_s: 900,
            retry: RetryPolicy::default(),
            breaker: BreakerConfig::default(),
        }
    }
}

/// See the module.
pub struct ModelPool {
    order: Vec<Arc<PooledModel>>,
}

impl ModelPool {
    /// A pool; loads nothing yet. Must be called within a tokio runtime when `idle_unload_s` is set.
    pub fn new(config: PoolConfig, loader: Arc<dyn ModelLoader>, on_event: OnPoolEvent) -> Self {
        let idle = Duration::from_secs(config.idle_unload_s);
        let make = |model: ModelConfig| {
            Arc::new_cyclic(|me: &Weak<PooledModel>| PooledModel {
                places: Semaphore::new(model.concurrency()),
                config: model,
                loader: Arc::clone(&loader),
                on_event: Arc::clone(&on_event),
                retry: config.retry,
                limit: Duration::from_secs(config.sample_limit_s),
                loaded: AsyncMutex::new(None),
                state: Mutex::new(State::new(config.breaker)),
                epoch: Instant::now(),
                me: me.clone(),
            })
        };
        let mut seen = HashMap::new();
        let order: Vec<_> =
            config.models.iter().filter(|m| seen.insert(m.name.clone(), ()).is_none()).cloned().map(make).collect();
        if !idle.is_zero() {
            order.iter().for_each(|model| drop(tokio::spawn(watch_idle(Arc::downgrade(model), idle))));
        }
        Self { order }
    }

    /// A model by name.
    ///
    /// # Errors
    /// [`ModelError::Unavailable`] with the names that are configured.
    pub fn model(&self, name: &str) -> Result<Arc<dyn Model>, ModelError> {
        let found = self.order.iter().find(|m| m.config.name == name);
        found.map(|m| Arc::clone(m) as Arc<dyn Model>).ok_or_else(|| {
            let names: Vec<_> = self.order.iter().map(|m| m.config.name.as_str()).collect();
            ModelError::Unavailable(format!("no model is configured as `{name}`; there are: {}", names.join(", ")))
        })
    }

    /// Every model that serves a role, in the configured order.
    pub fn for_role(&self, role: ModelRole) -> Vec<Arc<dyn Model>> {
        self.order.iter().filter(|m| m.config.serves(role)).map(|m| Arc::clone(m) as Arc<dyn Model>).collect()
    }

    /// Loads a model now, so that the first sample does not wait.
    ///
    /// # Errors
    /// What loading says.
    pub async fn warm_up(&self, name: &str) -> Result<(), ModelError> {
        match self.order.iter().find(|m| m.config.name == name) {
            Some(model) => model.get().await.map(|_| ()),
            None => self.model(name).map(|_| ()),
        }
    }

    /// Unloads what is not in use.
    pub async fn unload_idle(&self) {
        for model in &self.order {
            model.unload_if_idle(Duration::ZERO).await;
        }
    }

    /// One line per model.
    pub fn status(&self) -> Vec<ModelStatus> {
        self.order.iter().map(|m| m.status()).collect()
    }
}

struct PooledModel {
    config: ModelConfig,
    loader: Arc<dyn ModelLoader>,
    on_event: OnPoolEvent,
    retry: RetryPolicy,
    limit: Duration,
    places: Semaphore,
    loaded: AsyncMutex<Option<Arc<dyn Model>>>,
    state: Mutex<State>,
    epoch: Instant,
    me: Weak<PooledModel>,
}

struct State {
    load: LoadState,
    /// How many loads have failed, and what the last one said.
    loads_failed: (u64, Option<ModelError>),
    breaker: CircuitBreaker,
    budget: RetryBudget,
    retries: u64,
    busy: usize,
    answers: u64,
    failures: u64,
    tokens: u64,
    last_error: Option<String>,
    last_used: Instant,
}

impl State {
    fn new(breaker: BreakerConfig) -> Self {
        Self {
            load: LoadState::Cold,
            loads_failed: (0, None),
            breaker: CircuitBreaker::new(breaker),
            budget: RetryBudget::default(),
            retries: 0,
            busy: 0,
            answers: 0,
            failures: 0,
            tokens: 0,
            last_error: None,
            last_used: Instant::now(),
        }
    }
}

impl Model for PooledModel {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn sample(&self, request: SampleRequest) -> BoxFuture<'_, Result<SampleResponse, ModelError>> {
        Box::pin(self.with_retries(request))
    }
}

impl PooledModel {
    async fn with_retries(&self, request: SampleRequest) -> Result<SampleResponse, ModelError> {
        let _place = self.places.acquire().await.map_err(|_| ModelError::Transient("the pool is closed".to_owned()))?;
        let _busy = Busy::enter(self);
        let mut jitter = ChaCha8Rng::seed_from_u64(request.seed ^ self.now_ms());
        let (mut failed, begun) = (0, Instant::now());
        loop {
            let error = match self.once(request.clone()).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            failed += 1;
            let random = (jitter.next_u32() >> 8) as f64 / f64::from(1u32 << 24);
            let Some(pause) = self.retry.pause_ms(ErrorClass::from(&error), failed, random).map(Duration::from_millis)
            else {
                return Err(error);
            };
            // Whoever asked has waited long enough, and can ask for another sample.
            let spent = !self.limit.is_zero() && begun.elapsed() >= self.limit;
            if spent || !self.may_retry() {
                return Err(error);
            }
            (self.on_event)(PoolEvent::Retrying { model: self.config.name.clone(), error, pause });
            tokio::time::sleep(pause).await;
        }
    }

    /// Takes a retry out of the budget.
    fn may_retry(&self) -> bool {
        let mut state = self.lock();
        let may = state.budget.try_spend();
        state.retries += u64::from(may);
        may
    }

    /// One attempt, through the breaker.
    async fn once(&self, request: SampleRequest) -> Result<SampleResponse, ModelError> {
        let attempt = Attempt::begin(self)?;
        let result = match self.get().await {
            Ok(model) => self.in_time(model.sample(request)).await,
            Err(error) => Err(error),
        };
        attempt.end(&result);
        result
    }

    /// An answer that does not come is a failure like any other.
    async fn in_time(
        &self,
        answer: BoxFuture<'_, Result<SampleResponse, ModelError>>,
    ) -> Result<SampleResponse, ModelError> {
        if self.limit.is_zero() {
            return answer.await;
        }
        tokio::time::timeout(self.limit, answer).await.unwrap_or_else(|_| {
            let limit = self.limit.as_secs();
            Err(ModelError::Transient(format!("it did not answer within {limit} s (`llm.sample_seconds`)")))
        })
    }

    /// The loaded model; loads it if need be. A caller that goes away does not stop the load,
    /// which others may be waiting for.
    async fn get(&self) -> Result<Arc<dyn Model>, ModelError> {
        if let Some(model) = self.loaded.lock().await.as_ref() {
            return Ok(Arc::clone(model));
        }
        let Some(me) = self.me.upgrade() else { return Err(ModelError::Transient("the pool is closed".to_owned())) };
        let loading = tokio::spawn(async move { me.load().await });
        loading
            .await
            .unwrap_or_else(|e| Err(ModelError::Transient(format!("loading {} broke off: {e}", self.config.name))))
    }

    async fn load(&self) -> Result<Arc<dyn Model>, ModelError> {
        let before = self.lock().loads_failed.0;
        let mut slot = self.loaded.lock().await;
        if let Some(model) = slot.as_ref() {
            return Ok(Arc::clone(model));
        }
        // Who has waited for a load that failed would wait as long for the same once more.
        if let (failed, Some(error)) = self.lock().loads_failed.clone()
            && failed != before
        {
            return Err(error);
        }
        let name = || self.config.name.clone();
        self.lock().load = LoadState::Loading;
        (self.on_event)(PoolEvent::Loading { model: name() });
        let start = Instant::now();
        let result = self.loader.load(&self.config).await;
        self.lock().load = if result.is_ok() { LoadState::Ready } else { LoadState::Cold };
        match &result {
            Ok(model) => {
                *slot = Some(Arc::clone(model));
                (self.on_event)(PoolEvent::Loaded { model: name(), after: start.elapsed() });
            }
            Err(error) => {
                let failed = self.lock().loads_failed.0 + 1;
                self.lock().loads_failed = (failed, Some(error.clone()));
                (self.on_event)(PoolEvent::LoadFailed { model: name(), error: error.clone() });
            }
        }
        result
    }

    async fn unload_if_idle(&self, idle: Duration) {
        let mut slot = self.loaded.lock().await;
        let idle_for = |state: &State| if state.busy > 0 { None } else { Some(state.last_used.elapsed()) };
        if slot.is_none() || idle_for(&self.lock()).is_none_or(|t| t < idle) {
            return;
        }
        self.lock().load = LoadState::Cold;
        let model = slot.take();
        // Freeing gigabytes takes a while.
        let _ = tokio::task::spawn_blocking(move || drop(model)).await;
        drop(slot);
        (self.on_event)(PoolEvent::Unloaded { model: self.config.name.clone() });
    }

    fn status(&self) -> ModelStatus {
        let (state, now) = (self.lock(), self.now_ms());
        ModelStatus {
            open_for_ms: open_for(&state.breaker, now).unwrap_or_default(),
            retries: state.retries,
            retries_left: state.budget.left(),
            name: self.config.name.clone(),
            state: state.load,
            breaker: state.breaker.state(),
            busy: state.busy,
            answers: state.answers,
            failures: state.failures,
            tokens: state.tokens,
            last_error: state.last_error.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// How long a breaker stays open, in milliseconds; `None` when it is not open.
fn open_for(breaker: &CircuitBreaker, now_ms: u64) -> Option<u64> {
    match breaker.state() {
        BreakerState::Open { until_ms } => Some(until_ms.saturating_sub(now_ms)),
        BreakerState::Closed | BreakerState::HalfOpen => None,
    }
}

async fn watch_idle(model: Weak<PooledModel>, idle: Duration) {
    let step = (idle / 4).clamp(Duration::from_millis(50), Duration::from_secs(30));
    loop {
        tokio::time::sleep(step).await;
        let Some(model) = model.upgrade() else { return };
        model.unload_if_idle(idle).await;
    }
}

/// Counts a sample as under way until dropped.
struct Busy<'a>(&'a PooledModel);

impl<'a> Busy<'a> {
    fn enter(model: &'a PooledModel) -> Self {
        model.lock().busy += 1;
        Busy(model)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.busy -= 1;
        state.last_used = Instant::now();
    }
}

/// One call that the breaker let through; dropped without an end, it was cancelled.
struct Attempt<'a> {
    model: &'a PooledModel,
    ended: bool,
}

impl<'a> Attempt<'a> {
    fn begin(model: &'a PooledModel) -> Result<Self, ModelError> {
        let now = model.now_ms();
        let mut state = model.lock();
        if state.breaker.try_acquire(now) {
            return Ok(Attempt { model, ended: false });
        }
        let reason = state.last_error.clone().unwrap_or_default();
        let why =
            format!("{} is left alone for a while after repeated failures; the last: {reason}", model.config.name);
        Err(ModelError::LeftAlone { why, for_ms: open_for(&state.breaker, now).unwrap_or_default() })
    }

    fn end(mut self, result: &Result<SampleResponse, ModelError>) {
        self.ended = true;
        let now = self.model.now_ms();
        let mut state = self.model.lock();
        let before = state.breaker.state();
        match result {
            Ok(response) => {
                state.answers += 1;
                state.budget.deposit();
                state.tokens += response.completion_tokens as u64;
                state.breaker.record(true, now);
            }
            // A request that is itself at fault says nothing about the model.
            Err(ModelError::Rejected(_)) => state.breaker.record(true, now),
            Err(error) => {
                state.failures += 1;
                state.last_error = Some(error.to_string());
                state.breaker.record(false, now);
            }
        }
        let (model, after) = (self.model.config.name.clone(), open_for(&state.breaker, now));
        let error = state.last_error.clone().unwrap_or_default();
        let closed = state.breaker.state() == BreakerState::Closed;
        drop(state);
        if let Some(pause) = after.map(Duration::from_millis) {
            (self.model.on_event)(PoolEvent::LeftAlone { model, pause, error });
        } else if closed && before != BreakerState::Closed {
            (self.model.on_event)(PoolEvent::Recovered { model });
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let now = self.model.now_ms();
            self.model.lock().breaker.release(now);
        }
    }
}
