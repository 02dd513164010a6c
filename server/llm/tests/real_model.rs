//! The embedded default model in mistral.rs: every claim about seeds, ends, limits, cancelling and
//! the prompt cache, on the real thing. One engine serves most tests; they take turns in it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test helper that cannot go on fails its test"
)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;
use zeroerr_core::ports::{Constraint, FinishReason, Message, Model, ModelError, Role, SampleRequest};
use zeroerr_llm::mistral::{LoadOptions, MistralModel};
use zeroerr_llm::source::DEFAULT_MODEL;
use zeroerr_llm::store::ModelStore;

fn store() -> ModelStore {
    let home = std::env::var_os("ZEROERR_HOME").map(PathBuf::from);
    let home = home.or_else(|| directories::ProjectDirs::from("", "", "zeroerr").map(|d| d.data_dir().to_path_buf()));
    ModelStore::new(&home.expect("a home folder"))
}

fn file() -> PathBuf {
    store().path_of(DEFAULT_MODEL).unwrap_or_else(|e| panic!("{e}"))
}

fn options() -> LoadOptions {
    LoadOptions {
        optimised_copy: Some(store().work_file(DEFAULT_MODEL, "fast.gguf")),
        ..LoadOptions::new(DEFAULT_MODEL)
    }
}

/// One runtime for the shared engine: a runtime per test would take the engine's channels with it.
fn run<T>(test: impl AsyncFnOnce(&'static MistralModel) -> T) -> T {
    static RUNTIME: std::sync::LazyLock<tokio::runtime::Runtime> =
        std::sync::LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());
    static MODEL: OnceCell<MistralModel> = OnceCell::const_new();
    static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    RUNTIME.block_on(async {
        let _turn = TURN.lock().await;
        test(MODEL.get_or_init(|| async { MistralModel::load(&file(), options()).await.unwrap() }).await).await
    })
}

fn ask(text: &str) -> SampleRequest {
    SampleRequest {
        messages: vec![Message { role: Role::User, content: text.into() }],
        temperature: 0.0,
        top_p: 1.0,
        seed: 1,
        max_tokens: 24,
        stop: Vec::new(),
        constraint: None,
    }
}

async fn text(model: &MistralModel, request: SampleRequest) -> String {
    model.sample(request).await.unwrap().text
}

#[test]
fn a_seed_decides_the_text_in_any_engine_and_other_seeds_differ() {
    run(async |model| {
        let warm = |seed| SampleRequest { seed, temperature: 0.9, ..ask("Tell me something about the sea.") };
        let mut texts = Vec::new();
        for seed in 0..4 {
            texts.push(text(model, warm(seed)).await);
        }
        let distinct: std::collections::BTreeSet<_> = texts.iter().collect();
        assert_eq!(distinct.len(), 4, "{texts:?}");
        let fresh = MistralModel::load(&file(), options()).await.unwrap();
        assert_eq!(text(&fresh, warm(2)).await, texts[2], "the order of requests and the engine make no difference");
        assert_eq!(text(model, warm(2)).await, texts[2]);
    });
}

#[test]
fn greedy_text_is_the_same_with_and_without_the_prompt_cache() {
    run(async |model| {
        let bare = MistralModel::load(&file(), LoadOptions { prompt_cache_bytes: 0, ..options() }).await.unwrap();
        // Room for one prompt only: the cache is emptied all the time.
        let tight = MistralModel::load(&file(), LoadOptions { prompt_cache_bytes: 1, ..options() }).await.unwrap();
        for question in [
            "Count from one to ten in words, please, and write them in one line.",
            "Count from one to ten in digits, please, and write them in one line.",
        ] {
            let expected = text(&bare, ask(question)).await;
            assert!(expected.len() > 10);
            for (name, model) in [("cached", model), ("tight", &tight)] {
                assert_eq!(text(model, ask(question)).await, expected, "{name}, first");
                assert_eq!(text(model, ask(question)).await, expected, "{name}, again");
            }
        }
    });
}

#[test]
fn a_prompt_is_read_once_for_all_its_votes() {
    run(async |model| {
        let long = format!("Here is a list of words: {}. What is the first?", "apple pear plum cherry fig ".repeat(24));
        let one = |seed| SampleRequest { seed, max_tokens: 1, ..ask(&long) };
        let start = Instant::now();
        let prompt = model.sample(one(0)).await.unwrap().prompt_tokens;
        let first = start.elapsed();
        assert!(prompt > 120, "{prompt}");
        let start = Instant::now();
        model.sample(one(1)).await.unwrap();
        assert!(start.elapsed() * 5 < first, "first {first:?}, second {:?}", start.elapsed());
    });
}

#[test]
fn a_text_ends_at_the_limit_at_a_stop_text_or_when_the_model_is_done() {
    run(async |model| {
        let long = model.sample(SampleRequest { max_tokens: 7, ..ask("Write a long story.") }).await.unwrap();
        assert_eq!((long.finish, long.completion_tokens), (FinishReason::Length, 7));
        let whole = model.sample(SampleRequest { max_tokens: 60, ..ask("Write a long story.") }).await.unwrap();
        let word = whole.text.split(' ').nth(5).unwrap().to_owned();
        let stopped = model
            .sample(SampleRequest { max_tokens: 60, stop: vec![format!(" {word}")], ..ask("Write a long story.") })
            .await
            .unwrap();
        assert_eq!(stopped.finish, FinishReason::Stop);
        assert_eq!(stopped.text, whole.text[..whole.text.find(&format!(" {word}")).unwrap()]);
        let done =
            model.sample(SampleRequest { max_tokens: 200, ..ask("Answer with the one word yes.") }).await.unwrap();
        assert_eq!(done.finish, FinishReason::Stop);
        assert!(done.completion_tokens < 200 && !done.text.contains("<|"), "{done:?}");
    });
}

#[test]
fn a_begun_answer_is_continued_with_its_indentation() {
    run(async |model| {
        let begun = "```python\ndef add(a: int, b: int) -> int:\n    \"\"\"Return the sum of a and b.\"\"\"\n   ";
        let mut request =
            SampleRequest { stop: vec!["\n```".into()], max_tokens: 40, ..ask("Write the Python function `add`.") };
        request.messages.push(Message { role: Role::Assistant, content: begun.into() });
        assert_eq!(text(model, request).await, format!("{begun} return a + b"));
    });
}

#[test]
fn a_finished_constraint_finishes_the_request() {
    run(async |model| {
        let regex = SampleRequest {
            max_tokens: 120,
            constraint: Some(Constraint::Regex("[0-9]{3}-[0-9]{2}".into())),
            ..ask("A number, please.")
        };
        for (seed, temperature) in [(0, 0.0), (1, 1.0), (2, 1.0)] {
            let answer = model.sample(SampleRequest { seed, temperature, ..regex.clone() }).await.unwrap();
            assert_eq!(answer.finish, FinishReason::Stop, "{answer:?}");
            let form: String = answer.text.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
            assert_eq!(form, "999-99");
        }
        let schema = serde_json::json!({"type": "object", "properties": {"yes": {"type": "boolean"}}, "required": ["yes"], "additionalProperties": false});
        let json = model
            .sample(SampleRequest {
                max_tokens: 120,
                constraint: Some(Constraint::JsonSchema(schema)),
                ..ask("Is water wet?")
            })
            .await
            .unwrap();
        assert_eq!(json.finish, FinishReason::Stop);
        assert!(serde_json::from_str::<serde_json::Value>(&json.text).unwrap()["yes"].is_boolean(), "{}", json.text);
        let bad = model.sample(SampleRequest { constraint: Some(Constraint::Regex("(".into())), ..ask("x") }).await;
        assert!(matches!(bad, Err(ModelError::Rejected(_))), "{bad:?}");
    });
}

#[test]
fn dropping_a_sample_stops_the_cpu() {
    run(async |model| {
        let endless =
            SampleRequest { max_tokens: 4000, temperature: 1.0, ..ask("Write a very long story about numbers.") };
        let used = cpu_ticks();
        let dropped = tokio::time::timeout(Duration::from_secs(3), model.sample(endless)).await;
        assert!(dropped.is_err(), "it should still be writing");
        assert!(cpu_ticks() - used > 30, "it was busy");
        // The token under way may end.
        tokio::time::sleep(Duration::from_millis(700)).await;
        let used = cpu_ticks();
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(cpu_ticks() - used <= 8, "{} ticks in 2 s after the drop", cpu_ticks() - used);
        assert!(!text(model, ask("Say hello.")).await.is_empty(), "and the next request is served");
    });
}

#[test]
fn a_prompt_longer_than_the_context_is_the_requests_fault() {
    run(async |model| {
        let error = model.sample(ask(&"word ".repeat(9000))).await.unwrap_err();
        assert!(matches!(&error, ModelError::Rejected(m) if m.contains("8192") && m.contains("shorten")), "{error}");
    });
}

#[test]
fn models_that_are_dropped_do_not_pile_up() {
    run(async |_| {
        let mut after = Vec::new();
        for _ in 0..4 {
            let model = MistralModel::load(&file(), options()).await.unwrap();
            text(&model, ask("Say hello.")).await;
            drop(model);
            tokio::time::sleep(Duration::from_secs(1)).await;
            after.push((resident_mb(), threads()));
        }
        // One model takes 330 MB. The allocator keeps some of it for the next one; the engine
        // leaves one sleeping thread behind (its statistics).
        assert!(after[3].0 < after[0].0 + 330, "{after:?}");
        assert!(after[3].1 <= after[0].1 + 3, "{after:?}");
    });
}

#[test]
fn a_cut_off_model_is_one_clear_error() {
    run(async |_| {
        let dir = tempfile::tempdir().unwrap();
        let cut = dir.path().join("cut.gguf");
        let whole = std::fs::read(file()).unwrap();
        std::fs::write(&cut, &whole[..whole.len() / 3]).unwrap();
        let Err(error) = MistralModel::load(&cut, LoadOptions::new("cut")).await else { panic!("it loaded") };
        let message = error.to_string();
        assert!(matches!(error, ModelError::Unavailable(_)));
        assert!(
            message.contains("cut.gguf") && message.contains("cut off") && message.contains("zeroerr models pull"),
            "{message}"
        );
    });
}

fn stat() -> Vec<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    stat.rsplit(')').next().unwrap().split_whitespace().map(|f| f.parse().unwrap_or(0)).collect()
}

/// User and system time of this process in hundredths of a second.
fn cpu_ticks() -> u64 {
    stat()[11] + stat()[12]
}

fn threads() -> u64 {
    stat()[17]
}

fn resident_mb() -> u64 {
    stat()[21] * 4096 / (1 << 20)
}
