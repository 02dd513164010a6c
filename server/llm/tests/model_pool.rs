//! The pool: one load for all, retries, breaker, limits, idle unload, cancelled callers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test helper that cannot go on fails its test"
)]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use zeroerr_core::circuit_breaker::{BreakerConfig, BreakerState};
use zeroerr_core::error_handler::RetryPolicy;
use zeroerr_core::ports::{BoxFuture, FinishReason, Model, ModelError, SampleRequest, SampleResponse};
use zeroerr_llm::model_loader::{ModelConfig, ModelLoader, ModelRole};
use zeroerr_llm::model_pool::{LoadState, ModelPool, PoolConfig, PoolEvent};

/// Answers what it is told to, and counts.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<ModelError>>,
    loads: AtomicUsize,
    calls: AtomicUsize,
    busy: AtomicUsize,
    most: AtomicUsize,
    dropped: AtomicUsize,
    load_fails: Mutex<Option<ModelError>>,
    pause: Duration,
}

struct Scripted(Arc<Script>);

struct Count<'a>(&'a AtomicUsize);
impl Drop for Count<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Model for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }
    fn sample(&self, _: SampleRequest) -> BoxFuture<'_, Result<SampleResponse, ModelError>> {
        Box::pin(async {
            self.0.calls.fetch_add(1, SeqCst);
            self.0.most.fetch_max(self.0.busy.fetch_add(1, SeqCst) + 1, SeqCst);
            let _busy = Count(&self.0.busy);
            tokio::time::sleep(self.0.pause).await;
            match self.0.answers.lock().unwrap().pop_front() {
                Some(error) => Err(error),
                None => Ok(SampleResponse {
                    text: "ok".into(),
                    finish: FinishReason::Stop,
                    prompt_tokens: 1,
                    completion_tokens: 2,
                    model: "scripted".into(),
                }),
            }
        })
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, SeqCst);
    }
}

struct Loader(Arc<Script>);
impl ModelLoader for Loader {
    fn load<'a>(&'a self, _: &'a ModelConfig) -> BoxFuture<'a, Result<Arc<dyn Model>, ModelError>> {
        Box::pin(async {
            self.0.loads.fetch_add(1, SeqCst);
            tokio::time::sleep(Duration::from_millis(100)).await;
            match self.0.load_fails.lock().unwrap().clone() {
                Some(error) => Err(error),
                None => Ok(Arc::new(Scripted(Arc::clone(&self.0))) as Arc<dyn Model>),
            }
        })
    }
}

fn ask() -> SampleRequest {
    SampleRequest {
        messages: vec![],
        temperature: 0.0,
        top_p: 1.0,
        seed: 0,
        max_tokens: 1,
        stop: vec![],
        constraint: None,
    }
}

fn config() -> PoolConfig {
    PoolConfig {
        models: vec![
            ModelConfig {
                name: "a".into(),
                max_concurrent: 2,
                roles: vec![ModelRole::Coder],
                ..ModelConfig::default()
            },
            ModelConfig { name: "b".into(), ..ModelConfig::default() },
        ],
        idle_unload_s: 0,
        sample_limit_s: 0,
        retry: RetryPolicy { max_attempts: 3, base_ms: 1, cap_ms: 2 },
        breaker: BreakerConfig { failure_threshold: 3, cool_down_ms: 150 },
    }
}

fn pool(config: PoolConfig, script: Script) -> (ModelPool, Arc<Script>, Arc<Mutex<Vec<PoolEvent>>>) {
    let script = Arc::new(script);
    let events = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&events);
    let pool =
        ModelPool::new(config, Arc::new(Loader(Arc::clone(&script))), Arc::new(move |e| log.lock().unwrap().push(e)));
    (pool, script, events)
}

fn transient() -> ModelError {
    ModelError::Transient("busy".into())
}

#[tokio::test]
async fn a_model_is_loaded_once_when_first_asked_for_and_at_most_as_many_run_as_allowed() {
    let (pool, script, events) = pool(config(), Script { pause: Duration::from_millis(30), ..Script::default() });
    assert_eq!(script.loads.load(SeqCst), 0);
    assert_eq!(pool.status()[0].state, LoadState::Cold);
    let model = pool.model("a").unwrap();
    let all = futures::future::join_all((0..6).map(|_| model.sample(ask()))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!((script.loads.load(SeqCst), script.most.load(SeqCst)), (1, 2));
    let status = pool.status();
    assert_eq!((status[0].state, status[0].answers, status[0].tokens, status[0].busy), (LoadState::Ready, 6, 12, 0));
    assert_eq!(status[1].state, LoadState::Cold, "the other model is untouched");
    let events = events.lock().unwrap();
    assert!(
        matches!(&events[..], [PoolEvent::Loading { model: m }, PoolEvent::Loaded { .. }] if m == "a"),
        "{events:?}"
    );
}

#[tokio::test]
async fn roles_and_names_find_models_and_unknown_names_list_the_known() {
    let (pool, ..) = pool(config(), Script::default());
    let names = |role| pool.for_role(role).iter().map(|m| m.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(ModelRole::Coder), ["a", "b"]);
    assert_eq!(names(ModelRole::Planner), ["b"]);
    let message = pool.model("c").err().unwrap().to_string();
    assert!(message.contains("`c`") && message.contains("a, b"), "{message}");
}

#[tokio::test]
async fn transient_failures_are_retried_and_others_are_not() {
    let (pool, script, events) = pool(config(), Script::default());
    let model = pool.model("a").unwrap();
    script.answers.lock().unwrap().extend([transient(), transient()]);
    assert!(model.sample(ask()).await.is_ok());
    assert_eq!(script.calls.load(SeqCst), 3);
    assert_eq!(events.lock().unwrap().iter().filter(|e| matches!(e, PoolEvent::Retrying { .. })).count(), 2);
    for error in [ModelError::Rejected("too long".into()), ModelError::Unavailable("gone".into())] {
        let before = script.calls.load(SeqCst);
        script.answers.lock().unwrap().push_back(error.clone());
        assert_eq!(model.sample(ask()).await, Err(error));
        assert_eq!(script.calls.load(SeqCst), before + 1);
    }
}

#[tokio::test]
async fn a_failing_model_is_left_alone_then_probed_and_used_again() {
    let (pool, script, _) = pool(config(), Script::default());
    let model = pool.model("a").unwrap();
    script.answers.lock().unwrap().extend([transient(), transient(), transient()]);
    assert_eq!(model.sample(ask()).await, Err(transient()));
    let message = model.sample(ask()).await.unwrap_err().to_string();
    assert!(message.contains("left alone") && message.contains("busy"), "{message}");
    assert_eq!(script.calls.load(SeqCst), 3, "no call got through");
    assert!(matches!(pool.status()[0].breaker, BreakerState::Open { .. }));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(model.sample(ask()).await.is_ok());
    assert_eq!(pool.status()[0].breaker, BreakerState::Closed);
}

#[tokio::test]
async fn requests_that_are_themselves_at_fault_do_not_open_the_breaker() {
    let (pool, script, _) = pool(config(), Script::default());
    let model = pool.model("a").unwrap();
    script.answers.lock().unwrap().extend((0..5).map(|_| ModelError::Rejected("too long".into())));
    for _ in 0..5 {
        assert!(model.sample(ask()).await.is_err());
    }
    assert!(model.sample(ask()).await.is_ok());
}

#[tokio::test]
async fn a_dropped_sample_is_dropped_in_the_engine_and_frees_its_place() {
    let (pool, script, _) = pool(config(), Script { pause: Duration::from_secs(60), ..Script::default() });
    let model = pool.model("a").unwrap();
    pool.warm_up("a").await.unwrap();
    for _ in 0..4 {
        let both = futures::future::join(model.sample(ask()), model.sample(ask()));
        assert!(tokio::time::timeout(Duration::from_millis(20), both).await.is_err());
        assert_eq!((script.busy.load(SeqCst), pool.status()[0].busy), (0, 0));
    }
    assert_eq!((script.most.load(SeqCst), pool.status()[0].failures), (2, 0));
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_the_load_for_others() {
    let (pool, script, _) = pool(config(), Script::default());
    let model = pool.model("a").unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(20), model.sample(ask())).await.is_err());
    assert!(model.sample(ask()).await.is_ok());
    assert_eq!(script.loads.load(SeqCst), 1);
}

#[tokio::test]
async fn a_load_that_fails_is_told_and_tried_again_later() {
    let broken = ModelError::Unavailable("file is cut off; pull it again".into());
    let (pool, script, events) =
        pool(config(), Script { load_fails: Mutex::new(Some(broken.clone())), ..Script::default() });
    let model = pool.model("a").unwrap();
    assert_eq!(model.sample(ask()).await, Err(broken.clone()));
    assert_eq!(pool.status()[0].last_error, Some(broken.to_string()));
    assert!(
        events.lock().unwrap().iter().any(|e| matches!(e, PoolEvent::LoadFailed { error, .. } if *error == broken))
    );
    *script.load_fails.lock().unwrap() = None;
    assert!(model.sample(ask()).await.is_ok());
}

#[tokio::test]
async fn who_waits_for_a_load_that_fails_does_not_load_again() {
    let broken = ModelError::Unavailable("file is cut off; pull it again".into());
    let (pool, script, events) =
        pool(config(), Script { load_fails: Mutex::new(Some(broken.clone())), ..Script::default() });
    let model = pool.model("a").unwrap();
    let (one, two) = tokio::join!(model.sample(ask()), model.sample(ask()));
    assert_eq!((one, two), (Err(broken.clone()), Err(broken)));
    let told = events.lock().unwrap().iter().filter(|e| matches!(e, PoolEvent::Loading { .. })).count();
    assert_eq!((script.loads.load(SeqCst), told), (1, 1));
}

#[tokio::test]
async fn an_idle_model_is_unloaded_and_comes_back_when_needed() {
    let (pool, script, events) = pool(
        PoolConfig { idle_unload_s: 1, ..config() },
        Script { pause: Duration::from_millis(1500), ..Script::default() },
    );
    let model = pool.model("a").unwrap();
    assert!(model.sample(ask()).await.is_ok(), "busy for longer than the idle time");
    assert_eq!(script.dropped.load(SeqCst), 0, "not while in use");
    tokio::time::sleep(Duration::from_millis(1700)).await;
    assert_eq!((script.dropped.load(SeqCst), pool.status()[0].state), (1, LoadState::Cold));
    assert!(matches!(events.lock().unwrap().last(), Some(PoolEvent::Unloaded { .. })));
    assert!(model.sample(ask()).await.is_ok());
    assert_eq!(script.loads.load(SeqCst), 2);
}

#[tokio::test]
async fn a_model_that_never_answers_fails_in_time_and_is_left_alone() {
    let config = PoolConfig { sample_limit_s: 1, ..config() };
    let (pool, script, events) = pool(config, Script { pause: Duration::from_secs(3600), ..Script::default() });
    let model = pool.model("a").unwrap();
    let all = futures::future::join_all((0..4).map(|_| model.sample(ask()))).await;
    let said: Vec<String> = all.into_iter().map(|r| r.unwrap_err().to_string()).collect();
    assert_eq!(said[0], "it did not answer within 1 s (`llm.sample_seconds`)");
    assert_eq!(script.calls.load(SeqCst), 4, "nobody waits twice");
    let refused = model.sample(ask()).await.unwrap_err().to_string();
    assert!(refused.contains("left alone") && refused.contains("did not answer"), "{refused}");
    let status = pool.status().remove(0);
    assert!(status.open_for_ms > 0 && status.failures == 4 && status.retries == 0, "{status:?}");
    assert!(events.lock().unwrap().iter().any(|e| matches!(e, PoolEvent::LeftAlone { .. })));
}

#[tokio::test]
async fn retries_are_used_up_when_hardly_anything_succeeds() {
    let config = PoolConfig { breaker: BreakerConfig { failure_threshold: 1000, cool_down_ms: 1 }, ..config() };
    let (pool, script, _) = pool(config, Script::default());
    let model = pool.model("a").unwrap();
    script.answers.lock().unwrap().extend((0..500).map(|_| transient()));
    for _ in 0..20 {
        assert!(model.sample(ask()).await.is_err());
    }
    let status = pool.status().remove(0);
    assert_eq!((script.calls.load(SeqCst), status.retries, status.retries_left), (30, 10, 0));
    script.answers.lock().unwrap().clear();
    for _ in 0..10 {
        assert!(model.sample(ask()).await.is_ok());
    }
    assert_eq!(pool.status()[0].retries_left, 1);
}
