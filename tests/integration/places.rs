//! Where a path leads: `..`, links, pipes, and the project that a file belongs to.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use crate::command_line::Shell;
use crate::formats::json;
use crate::runs::{prepared, run_command};

/// A spec that nothing needs to be run for: it cannot be read.
const FAULTY: &str = "# @exmaple one(1) == 1\n# @spec One.\ndef one(x):\n    return 1\n";

#[test]
fn a_path_with_dots_belongs_to_the_project_that_it_leads_to() {
    let shell = Shell::new();
    fs::create_dir(shell.home().join("other")).unwrap();
    shell.write("other/a.py", FAULTY);
    shell.write("other/.zeroerr.yaml", "sandbox: {mode: off}\n");
    let said = shell.run(&["verify", "../other/a.py"]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("other/.zeroerr.yaml"), "{}", said.err);
    // And ours is not theirs.
    fs::rename(shell.home().join("other/.zeroerr.yaml"), shell.project().join(".zeroerr.yaml")).unwrap();
    let said = shell.run(&["verify", "../other/a.py"]);
    assert!(!said.err.contains("sandbox.mode"), "{}", said.err);
}

#[test]
fn a_link_to_a_file_is_looked_at_and_one_to_a_folder_is_not_followed() {
    let shell = Shell::new();
    shell.write("one.py", FAULTY);
    fs::create_dir(shell.home().join("folder")).unwrap();
    shell.write("folder/two.py", FAULTY);
    symlink(shell.home().join("one.py"), shell.project().join("linked.py")).unwrap();
    symlink(shell.home().join("folder"), shell.project().join("far")).unwrap();
    symlink(shell.project(), shell.project().join("circle")).unwrap();
    let found = json(&shell.run(&["run", ".", "--json"]))["diagnostics"].clone();
    let files: Vec<&str> = found.as_array().unwrap().iter().filter_map(|d| d["file"].as_str()).collect();
    assert!(!files.is_empty() && files.iter().all(|file| file.ends_with("linked.py")), "{files:?}");
}

#[test]
fn the_reader_of_a_pipe_may_go_and_the_code_is_as_found() {
    let shell = Shell::new();
    shell.write("project/a.py", FAULTY);
    let mut child =
        shell.command(&["run", "a.py", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let said = shell.said(child.wait_with_output().unwrap());
    let unread = shell.run(&["run", "a.py", "--json"]).code;
    assert_eq!((said.code, said.err.as_str()), (unread, ""));
    assert_ne!(unread, 0);
}

#[test]
fn a_report_goes_through_links_and_into_pipes() {
    let Some(shell) = prepared() else { return };
    assert_eq!(shell.said(run_command(&shell, 1).output().unwrap()).code, 0);
    shell.write("project/there.html", "");
    symlink("there.html", shell.project().join("link.html")).unwrap();
    assert_eq!(shell.run(&["report", "last", "--out", "link.html"]).code, 0);
    assert!(shell.project().join("link.html").is_symlink());
    let page = fs::read_to_string(shell.project().join("there.html")).unwrap();
    assert!(page.starts_with("<!doctype html>"), "{page}");
    let said = shell.run(&["report", "last", "--out", "/dev/stdout"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("<!doctype html>"), "{}", said.out);
}
