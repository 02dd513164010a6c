//! Counted things in what commands print: one is not called several, and none is not called nothing.

use crate::command_line::Shell;

#[test]
fn a_list_that_was_to_hold_nothing_does_not_say_that_there_is_nothing() {
    let said = Shell::new().run(&["runs", "list", "-n", "0"]);
    assert_eq!((said.code, said.err.as_str()), (0, "`--limit 0` lists none; leave it out to see the newest runs\n"));
}
