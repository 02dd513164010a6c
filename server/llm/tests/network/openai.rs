//! The OpenAI-compatible client against a server that behaves, misbehaves, and notices.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::{Asked, Server, reply, serve};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use zeroerr_core::ports::{Constraint, FinishReason, Message, Model, ModelError, Role, SampleRequest};
use zeroerr_llm::openai::{OpenAiConfig, OpenAiModel};

fn ask() -> SampleRequest {
    let say = |role, text: &str| Message { role, content: text.into() };
    SampleRequest {
        messages: vec![
            say(Role::System, "Be brief."),
            say(Role::User, "Write add."),
            say(Role::Assistant, "```python\ndef add(a, b):\n   "),
        ],
        temperature: 0.6,
        top_p: 0.9,
        seed: u64::MAX - 5,
        max_tokens: 50,
        stop: vec!["\n```".into(), "\ndef ".into()],
        constraint: None,
    }
}

fn config(server: &Server) -> OpenAiConfig {
    OpenAiConfig {
        base_url: format!("{}/v1/", server.url()),
        model: "big".into(),
        connect_ms: 1000,
        first_token_ms: 1500,
        idle_ms: 300,
        ..OpenAiConfig::default()
    }
}

fn model(server: &Server) -> OpenAiModel {
    OpenAiModel::new("remote", config(server)).unwrap()
}

const SSE: &str = "content-type: text/event-stream\r\n";

fn stream_of(events: &[&str]) -> Vec<u8> {
    events.iter().map(|e| format!("data: {e}\n\n")).collect::<String>().into_bytes()
}

async fn fixed(status: &'static str, body: Vec<u8>) -> Server {
    let body = Arc::new(body);
    serve(move |_, _, mut stream: TcpStream| {
        let body = Arc::clone(&body);
        async move { reply(&mut stream, status, SSE, &body).await }
    })
    .await
}

fn good() -> Vec<u8> {
    stream_of(&[
        r#"{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
        r#"{"choices":[{"delta":{"content":" return a"}}]}"#,
        r#"{"choices":[{"delta":{"content":" + b"},"finish_reason":"stop"}]}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":31,"completion_tokens":7}}"#,
        "[DONE]",
    ])
}

#[tokio::test]
async fn an_answer_is_put_together_and_the_request_says_everything() {
    let server = fixed("200 OK", good()).await;
    let response = model(&server).sample(ask()).await.unwrap();
    assert_eq!((response.text.as_str(), response.finish), (" return a + b", FinishReason::Stop));
    assert_eq!((response.prompt_tokens, response.completion_tokens, response.model.as_str()), (31, 7, "remote"));
    let asked = server.asked.lock().unwrap()[0].clone();
    assert_eq!((asked.path.as_str(), asked.header("authorization")), ("/v1/chat/completions", None));
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(
        body["messages"],
        json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Write add."}])
    );
    assert_eq!(
        (&body["model"], &body["temperature"], &body["top_p"], &body["max_tokens"]),
        (&json!("big"), &json!(0.6), &json!(0.9), &json!(50))
    );
    assert!(body["seed"].as_u64().unwrap() < 1 << 31);
    assert_eq!(body["stop"], json!(["\n```"]), "a stop text inside the usual beginning would end the answer there");
}

#[tokio::test]
async fn vllm_continues_the_begun_answer_and_takes_grammars() {
    let server = fixed("200 OK", good()).await;
    let vllm = OpenAiModel::new("vllm", OpenAiConfig { guided: true, ..config(&server) }).unwrap();
    let request = SampleRequest { constraint: Some(Constraint::Regex("a+".into())), ..ask() };
    assert_eq!(vllm.sample(request).await.unwrap().text, "```python\ndef add(a, b):\n    return a + b");
    let body: Value = serde_json::from_str(&server.asked.lock().unwrap()[0].body).unwrap();
    assert_eq!((&body["continue_final_message"], &body["add_generation_prompt"]), (&json!(true), &json!(false)));
    assert_eq!((&body["guided_regex"], &body["stop"]), (&json!("a+"), &json!(["\n```", "\ndef "])));

    let plain = model(&server);
    let schema = json!({"type": "object"});
    plain.sample(SampleRequest { constraint: Some(Constraint::JsonSchema(schema.clone())), ..ask() }).await.unwrap();
    let body: Value = serde_json::from_str(&server.asked.lock().unwrap()[1].body).unwrap();
    assert_eq!(body["response_format"]["json_schema"]["schema"], schema);
    let refused =
        plain.sample(SampleRequest { constraint: Some(Constraint::Regex("a+".into())), ..ask() }).await.unwrap_err();
    assert!(
        matches!(&refused, ModelError::Rejected(m) if m.contains("set `llm.endpoints.remote.guided: true`")),
        "{refused}"
    );
}

#[tokio::test]
async fn each_refusal_has_its_class_and_its_remedy() {
    for (status, body, class, says) in [
        ("429 Too Many Requests", r#"{"error":{"message":"slow down"}}"#, "transient", "slow down"),
        ("500 Internal Server Error", "oops", "transient", "oops"),
        ("503 Service Unavailable", "", "transient", "503"),
        ("400 Bad Request", r#"{"message":"prompt is too long"}"#, "rejected", "prompt is too long"),
        ("401 Unauthorized", "{}", "unavailable", "api_key_env"),
        (
            "404 Not Found",
            r#"{"detail":"no model big"}"#,
            "unavailable",
            "check `llm.endpoints.remote.url` and the model's name `big` in `llm.endpoints.remote.model`",
        ),
    ] {
        let server = fixed(status, body.as_bytes().to_vec()).await;
        let error = model(&server).sample(ask()).await.unwrap_err();
        let got = match &error {
            ModelError::Transient(_) => "transient",
            ModelError::Rejected(_) => "rejected",
            ModelError::Unavailable(_) | ModelError::LeftAlone { .. } => "unavailable",
        };
        assert_eq!(got, class, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_none_or_breaks_off_is_told_apart() {
    for page in ["data: <html>hello</html>\n\n", "<html>hello</html>\n", "<html>"] {
        let page = fixed("200 OK", page.into()).await;
        let error = model(&page).sample(ask()).await.unwrap_err();
        assert!(
            matches!(&error, ModelError::Unavailable(m) if m.contains("does not speak the OpenAI chat protocol")
                && m.contains("check `llm.endpoints.remote.url`")),
            "{error}"
        );
    }

    let cut = fixed("200 OK", stream_of(&[r#"{"choices":[{"delta":{"content":" ret"}}]}"#])).await;
    let error = model(&cut).sample(ask()).await.unwrap_err();
    assert!(matches!(&error, ModelError::Transient(m) if m.contains("ended before")), "{error}");

    let broken = serve(|_, _, mut stream: TcpStream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\ndata: {\"choices\":[]}\n\n").await;
    })
    .await;
    assert!(matches!(model(&broken).sample(ask()).await, Err(ModelError::Transient(_))));

    let nobody =
        OpenAiModel::new("x", OpenAiConfig { base_url: "http://127.0.0.1:9/v1".into(), ..OpenAiConfig::default() })
            .unwrap();
    let error = nobody.sample(ask()).await.unwrap_err();
    assert!(matches!(&error, ModelError::Unavailable(m) if m.contains("is the server running?")), "{error}");
}

#[tokio::test]
async fn silence_is_not_waited_for_without_end() {
    let mute = serve(|_, _, stream: TcpStream| async move {
        tokio::time::sleep(Duration::from_secs(20)).await;
        drop(stream);
    })
    .await;
    let start = Instant::now();
    assert!(matches!(model(&mute).sample(ask()).await, Err(ModelError::Transient(_))));
    assert!(start.elapsed() < Duration::from_secs(6));

    let stuck = serve(|_, _, mut stream: TcpStream| async move {
        let event = stream_of(&[r#"{"choices":[{"delta":{"content":" ret"}}]}"#]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n").await;
        let _ = stream.write_all(&event).await;
        tokio::time::sleep(Duration::from_secs(20)).await;
    })
    .await;
    let start = Instant::now();
    let error = model(&stuck).sample(ask()).await.unwrap_err();
    assert!(matches!(&error, ModelError::Transient(m) if m.contains("300 ms")), "{error}");
    assert!(start.elapsed() < Duration::from_secs(1), "the limit between tokens, not the one for the first");
}

#[tokio::test]
async fn the_server_sees_at_once_that_a_sample_was_dropped() {
    let gone = Arc::new(Notify::new());
    let seen = Arc::clone(&gone);
    let server = serve(move |_, _, mut stream: TcpStream| {
        let seen = Arc::clone(&seen);
        async move {
            let event = stream_of(&[r#"{"choices":[{"delta":{"content":" x"}}]}"#]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500000\r\n\r\n").await;
            let _ = stream.write_all(&event).await;
            if matches!(stream.read(&mut [0; 1]).await, Ok(0) | Err(_)) {
                seen.notify_one();
            }
        }
    })
    .await;
    let slow = OpenAiModel::new("remote", OpenAiConfig { idle_ms: 60_000, ..config(&server) }).unwrap();
    assert!(tokio::time::timeout(Duration::from_millis(400), slow.sample(ask())).await.is_err());
    tokio::time::timeout(Duration::from_secs(2), gone.notified()).await.expect("the connection should be closed");
}

#[tokio::test]
async fn the_key_is_sent_and_never_shown() {
    // PATH is a variable that is surely set.
    let key = std::env::var("PATH").unwrap();
    // Some servers quote the key that they refuse.
    let server = serve(|_, asked: Asked, mut stream: TcpStream| async move {
        let quoted = format!("no such key: {}", asked.header("authorization").unwrap_or_default());
        reply(&mut stream, "403 Forbidden", "", quoted.as_bytes()).await;
    })
    .await;
    let with_key = OpenAiModel::new("m", OpenAiConfig { api_key_env: Some("PATH".into()), ..config(&server) }).unwrap();
    let error = with_key.sample(ask()).await.unwrap_err().to_string();
    assert!(error.contains("check the key in PATH") && !error.contains(&key), "{error}");
    assert_eq!(server.asked.lock().unwrap()[0].header("authorization"), Some(format!("Bearer {key}").as_str()));
    let missing =
        OpenAiModel::new("m", OpenAiConfig { api_key_env: Some("ZEROERR_NO_SUCH_KEY".into()), ..config(&server) });
    assert!(missing.err().unwrap().to_string().contains("ZEROERR_NO_SUCH_KEY"));
    let bad = OpenAiModel::new("m", OpenAiConfig { base_url: "localhost:8000".into(), ..config(&server) });
    assert!(bad.err().unwrap().to_string().contains("no http(s) address"));
}
