//! Which Rust names reach outside of pure computation: the table behind layer 7's capability check.
//!
//! The table is by full path, the longest entry wins, and what it does not name is taken as harmless.
//! The check is static; the sandbox holds what static reading misses.

use crate::layers::security::Capability;
use Capability::{Environment, Files, Native, Network, Process, Reflection};

/// Paths with the capability they stand for. `None` marks a harmless part of something that is not.
const TABLE: &[(&str, Option<Capability>)] = &[
    // Network.
    ("actix_web", Some(Network)),
    ("async_std::net", Some(Network)),
    ("axum", Some(Network)),
    ("curl", Some(Network)),
    ("hyper", Some(Network)),
    ("isahc", Some(Network)),
    ("lettre", Some(Network)),
    ("mio::net", Some(Network)),
    ("quinn", Some(Network)),
    ("reqwest", Some(Network)),
    ("socket2", Some(Network)),
    ("ssh2", Some(Network)),
    ("std::net", Some(Network)),
    ("std::net::AddrParseError", None),
    ("std::net::IpAddr", None),
    ("std::net::Ipv4Addr", None),
    ("std::net::Ipv6Addr", None),
    ("std::net::SocketAddr", None),
    ("std::net::SocketAddrV4", None),
    ("std::net::SocketAddrV6", None),
    ("std::os::unix::net", Some(Network)),
    ("surf", Some(Network)),
    ("tokio::net", Some(Network)),
    ("tungstenite", Some(Network)),
    ("ureq", Some(Network)),
    // Process.
    ("async_std::process", Some(Process)),
    ("duct", Some(Process)),
    ("signal_hook", Some(Process)),
    ("std::os::unix::process", Some(Process)),
    ("std::process", Some(Process)),
    ("std::process::ExitCode", None),
    ("std::process::ExitStatus", None),
    ("std::process::Termination", None),
    ("tokio::process", Some(Process)),
    ("tokio::signal", Some(Process)),
    // Files.
    ("async_std::fs", Some(Files)),
    ("fs_extra", Some(Files)),
    ("glob", Some(Files)),
    ("memmap", Some(Files)),
    ("memmap2", Some(Files)),
    ("rusqlite", Some(Files)),
    ("std::fs", Some(Files)),
    ("std::os::unix::fs", Some(Files)),
    ("tempfile", Some(Files)),
    ("tokio::fs", Some(Files)),
    ("walkdir", Some(Files)),
    // Native.
    ("libc", Some(Native)),
    ("libloading", Some(Native)),
    ("nix", Some(Native)),
    ("rustix", Some(Native)),
    ("std::alloc", Some(Native)),
    ("std::alloc::Layout", None),
    ("std::arch", Some(Native)),
    ("std::os::fd", Some(Native)),
    ("std::os::raw", Some(Native)),
    ("winapi", Some(Native)),
    ("windows_sys", Some(Native)),
    // Environment.
    ("dirs", Some(Environment)),
    ("dotenv", Some(Environment)),
    ("dotenvy", Some(Environment)),
    ("std::env", Some(Environment)),
    ("std::env::consts", None),
    ("std::io::stdin", Some(Environment)),
    ("std::io::Stdin", Some(Environment)),
    // Reflection.
    ("std::any::TypeId", Some(Reflection)),
    ("std::any::type_name", Some(Reflection)),
    ("std::any::type_name_of_val", Some(Reflection)),
    ("std::backtrace", Some(Reflection)),
    ("std::panic::Location", Some(Reflection)),
    ("std::panic::set_hook", Some(Reflection)),
    ("std::panic::take_hook", Some(Reflection)),
    ("std::panic::update_hook", Some(Reflection)),
];

/// Macros, by name.
const MACROS: &[(&str, Capability)] = &[
    ("asm", Native),
    // Where code stands is another place when it is checked.
    ("column", Reflection),
    ("env", Environment),
    ("file", Reflection),
    ("global_asm", Native),
    ("include", Capability::Evaluation),
    ("include_bytes", Files),
    ("include_str", Files),
    ("line", Reflection),
    ("module_path", Reflection),
    ("naked_asm", Native),
    ("option_env", Environment),
    ("thread_local", Reflection),
];

/// Attributes that change how a program is linked or started.
const ATTRIBUTES: &[&str] = &[
    "export_name",
    "global_allocator",
    "link",
    "link_name",
    "link_section",
    "naked",
    "no_mangle",
    "panic_handler",
    "target_feature",
];

/// Methods that touch files on a path.
const PATH_METHODS: &[&str] = &[
    "canonicalize",
    "exists",
    "is_dir",
    "is_file",
    "is_symlink",
    "metadata",
    "read_dir",
    "read_link",
    "symlink_metadata",
    "try_exists",
];

/// What `use` with a star brings in of modules all of which is one capability: any other name may be the file's own.
const STARS: &[(&str, &[&str])] = &[
    (
        "std::env",
        &[
            "args",
            "args_os",
            "current_dir",
            "current_exe",
            "remove_var",
            "set_var",
            "temp_dir",
            "var",
            "var_os",
            "vars",
        ],
    ),
    (
        "std::fs",
        &[
            "DirBuilder",
            "File",
            "OpenOptions",
            "canonicalize",
            "copy",
            "create_dir",
            "create_dir_all",
            "exists",
            "hard_link",
            "metadata",
            "read",
            "read_dir",
            "read_link",
            "read_to_string",
            "remove_dir",
            "remove_dir_all",
            "remove_file",
            "rename",
            "set_permissions",
            "symlink_metadata",
            "write",
        ],
    ),
    ("std::net", &["TcpListener", "TcpStream", "ToSocketAddrs", "UdpSocket"]),
    ("std::process", &["Command", "Stdio", "abort", "exit", "id"]),
];

/// Whether the first name of a path reaches for something when it comes from a star of this module.
pub(super) fn is_of_star(module: &str, written: &str) -> bool {
    let first = written.split("::").next().unwrap_or(written);
    match STARS.iter().find(|(name, _)| *name == module) {
        Some((_, names)) => names.contains(&first),
        None => of_path(module).is_none() && of_path(&format!("{module}::{written}")).is_some(),
    }
}

/// The capability of a full path (`std::fs::read`), if it has one.
pub(super) fn of_path(path: &str) -> Option<Capability> {
    let path = path.strip_prefix("::").unwrap_or(path);
    let method = path.strip_prefix("std::path::Path::").or(path.strip_prefix("std::path::PathBuf::"));
    if method.is_some_and(|method| PATH_METHODS.contains(&method)) {
        return Some(Files);
    }
    let standard = path.strip_prefix("core::").or(path.strip_prefix("alloc::")).map(|rest| format!("std::{rest}"));
    let mut prefix = standard.as_deref().unwrap_or(path);
    loop {
        if let Some((_, capability)) = TABLE.iter().find(|(name, _)| *name == prefix) {
            return *capability;
        }
        prefix = prefix.rsplit_once("::")?.0;
    }
}

/// The capability of a macro, by its name alone.
pub(super) fn of_macro(name: &str) -> Option<Capability> {
    MACROS.iter().find(|(known, _)| *known == name).map(|(_, capability)| *capability)
}

/// The attribute's name, if it is one that matters.
pub(super) fn of_attribute(written: &str) -> Option<&'static str> {
    let squeezed: String = written.split_whitespace().collect();
    let inner = squeezed.trim_start_matches("#![").trim_start_matches("#[").trim_start_matches("unsafe(");
    let name = inner.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or("");
    ATTRIBUTES.iter().copied().find(|known| *known == name)
}

/// The capability of a method by its name alone, where the file works with paths.
pub(super) fn of_method(name: &str, uses_paths: bool) -> Option<Capability> {
    (uses_paths && PATH_METHODS.contains(&name)).then_some(Files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_entry_wins_and_neighbours_are_left_alone() {
        assert_eq!(of_path("std::fs::read_to_string"), Some(Files));
        assert_eq!(of_path("std::net::TcpStream::connect"), Some(Network));
        assert_eq!(of_path("std::net::Ipv4Addr::new"), None);
        assert_eq!(of_path("::std::process::exit"), Some(Process));
        assert_eq!(of_path("core::arch::x86_64::_mm_add_ps"), Some(Native));
        assert_eq!(of_path("std::collections::HashMap"), None);
        assert_eq!(of_path("my::std::fs"), None);
        assert_eq!(of_path("std::path::Path::exists"), Some(Files));
        assert_eq!(of_path("std::path::Path::new"), None);
        assert!(
            is_of_star("std", "fs::write") && is_of_star("std::io", "stdin") && is_of_star("std::fs", "File::open")
        );
        assert!(!is_of_star("std::fs", "total") && !is_of_star("std::collections", "HashMap"));
        assert_eq!(of_attribute("#[unsafe(no_mangle)]"), Some("no_mangle"));
        assert_eq!(of_attribute("#[inline]"), None);
    }
}
