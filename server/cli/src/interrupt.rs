//! Ctrl-C: the first cancels the work and lets it clean up, the second leaves at once.

use tokio_util::sync::CancellationToken;

use crate::context::complain;
use crate::exit::Exit;

/// A token that the first Ctrl-C, or SIGTERM, cancels.
pub fn token() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        signalled().await;
        complain("cancelling; press Ctrl-C again to leave at once");
        cancelled.cancel();
        signalled().await;
        std::process::exit(i32::from(Exit::Cancelled as u8));
    });
    token
}

async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
