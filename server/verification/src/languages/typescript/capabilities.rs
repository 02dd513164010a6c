//! Which names of JavaScript and Node reach outside of pure computation: the table behind layer 7's
//! capability check.
//!
//! The table is by full name, modules without `node:`; the longest entry wins, and what it does not
//! name is taken as harmless. The check is static; the sandbox holds what static reading misses.

use crate::layers::security::Capability;
use Capability::{Environment, Evaluation, Files, Native, Network, Process, Reflection};

/// Modules and names with the capability they stand for. `None` marks a harmless part of something
/// that is not.
const TABLE: &[(&str, Option<Capability>)] = &[
    // Network.
    ("_http_agent", Some(Network)),
    ("_http_client", Some(Network)),
    ("_http_server", Some(Network)),
    ("_tls_wrap", Some(Network)),
    ("EventSource", Some(Network)),
    ("WebSocket", Some(Network)),
    ("XMLHttpRequest", Some(Network)),
    ("amqplib", Some(Network)),
    ("aws-sdk", Some(Network)),
    ("axios", Some(Network)),
    ("cross-fetch", Some(Network)),
    ("dgram", Some(Network)),
    ("dns", Some(Network)),
    ("express", Some(Network)),
    ("fastify", Some(Network)),
    ("fetch", Some(Network)),
    ("got", Some(Network)),
    ("http", Some(Network)),
    ("http.METHODS", None),
    ("http.STATUS_CODES", None),
    ("http2", Some(Network)),
    ("https", Some(Network)),
    ("ioredis", Some(Network)),
    ("isomorphic-fetch", Some(Network)),
    ("kafkajs", Some(Network)),
    ("ky", Some(Network)),
    ("mongodb", Some(Network)),
    ("mongoose", Some(Network)),
    ("mysql", Some(Network)),
    ("mysql2", Some(Network)),
    ("navigator.sendBeacon", Some(Network)),
    ("net", Some(Network)),
    ("net.isIP", None),
    ("net.isIPv4", None),
    ("net.isIPv6", None),
    ("node-fetch", Some(Network)),
    ("nodemailer", Some(Network)),
    ("pg", Some(Network)),
    ("playwright", Some(Network)),
    ("puppeteer", Some(Network)),
    ("redis", Some(Network)),
    ("request", Some(Network)),
    ("socket.io", Some(Network)),
    ("ssh2", Some(Network)),
    ("superagent", Some(Network)),
    ("tls", Some(Network)),
    ("undici", Some(Network)),
    ("ws", Some(Network)),
    // Process.
    ("Worker", Some(Process)),
    ("SharedWorker", Some(Process)),
    ("child_process", Some(Process)),
    ("cluster", Some(Process)),
    ("cross-spawn", Some(Process)),
    ("execa", Some(Process)),
    ("process.abort", Some(Process)),
    ("process.disconnect", Some(Process)),
    ("process.exit", Some(Process)),
    ("process.exitCode", Some(Process)),
    ("process.kill", Some(Process)),
    ("process.off", Some(Process)),
    ("process.on", Some(Process)),
    ("process.once", Some(Process)),
    ("process.reallyExit", Some(Process)),
    ("process.send", Some(Process)),
    ("shelljs", Some(Process)),
    ("worker_threads", Some(Process)),
    ("zx", Some(Process)),
    // Files.
    ("chokidar", Some(Files)),
    ("fs", Some(Files)),
    ("fs-extra", Some(Files)),
    ("glob", Some(Files)),
    ("graceful-fs", Some(Files)),
    ("indexedDB", Some(Files)),
    ("rimraf", Some(Files)),
    ("sqlite", Some(Files)),
    ("sqlite3", Some(Files)),
    ("better-sqlite3", Some(Files)),
    ("tmp", Some(Files)),
    // Evaluation.
    ("AsyncFunction", Some(Evaluation)),
    ("Function", Some(Evaluation)),
    ("Function.prototype", None),
    ("eval", Some(Evaluation)),
    ("importScripts", Some(Evaluation)),
    ("module", Some(Evaluation)),
    ("repl", Some(Evaluation)),
    ("require.cache", Some(Reflection)),
    ("require.extensions", Some(Reflection)),
    ("require.main", Some(Reflection)),
    ("vm", Some(Evaluation)),
    ("vm2", Some(Evaluation)),
    // Native.
    ("WebAssembly", Some(Native)),
    ("ffi-napi", Some(Native)),
    ("koffi", Some(Native)),
    ("process.binding", Some(Native)),
    ("process.dlopen", Some(Native)),
    ("v8", Some(Native)),
    ("wasi", Some(Native)),
    // Environment.
    ("Bun", Some(Environment)),
    ("Deno", Some(Environment)),
    ("document", Some(Environment)),
    ("dotenv", Some(Environment)),
    ("import.meta", Some(Environment)),
    ("localStorage", Some(Environment)),
    ("os", Some(Environment)),
    ("os.EOL", None),
    ("os.constants", None),
    ("os.devNull", None),
    ("process", Some(Environment)),
    ("process.hrtime", None),
    ("process.nextTick", None),
    ("process.emitWarning", None),
    ("process.platform", None),
    ("process.version", None),
    ("process.versions", None),
    ("readline", Some(Environment)),
    ("sessionStorage", Some(Environment)),
    ("tty", Some(Environment)),
    ("window", Some(Environment)),
    // Reflection.
    ("Error.prepareStackTrace", Some(Reflection)),
    ("Error.stackTraceLimit", Some(Reflection)),
    ("Object.setPrototypeOf", Some(Reflection)),
    ("Reflect.setPrototypeOf", Some(Reflection)),
    ("async_hooks", Some(Reflection)),
    ("diagnostics_channel", Some(Reflection)),
    ("expect", Some(Reflection)),
    ("global", Some(Reflection)),
    ("globalThis", Some(Reflection)),
    ("inspector", Some(Reflection)),
    ("jest", Some(Reflection)),
    ("module.exports", Some(Reflection)),
    ("trace_events", Some(Reflection)),
    ("vi", Some(Reflection)),
];

/// The capability of a full name (`fs.readFileSync`, `fs/promises`), if it has one.
pub(super) fn of_name(name: &str) -> Option<Capability> {
    let mut prefix = name;
    loop {
        if let Some((_, capability)) = TABLE.iter().find(|(known, _)| *known == prefix) {
            return *capability;
        }
        let at = prefix.rfind(['.', '/'])?;
        prefix = prefix.get(..at)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_entry_wins_and_neighbours_are_left_alone() {
        assert_eq!(of_name("fs.readFileSync"), Some(Files));
        assert_eq!(of_name("fs/promises.readFile"), Some(Files));
        assert_eq!(of_name("net.isIP"), None);
        assert_eq!(of_name("process.env.HOME"), Some(Environment));
        assert_eq!(of_name("process.exit"), Some(Process));
        assert_eq!(of_name("process.hrtime.bigint"), None);
        assert_eq!(of_name("socket.io"), Some(Network));
        assert_eq!(of_name("path.join"), None);
        assert_eq!(of_name("./fs.read"), None);
        assert_eq!(of_name("evaluate"), None);
    }
}
