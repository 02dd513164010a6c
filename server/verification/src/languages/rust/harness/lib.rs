//! The part of a check that is the same for every Rust function: it makes inputs, calls the function
//! in a child process, and reports facts as JSON. What they mean is decided elsewhere.
//!
//! Compiled once per compiler, in the sandbox, and linked to the code under test; the standard
//! library is all it needs. The code under test only ever runs in the child. The child is told one
//! job at a time, each with a fresh tag that its answer must carry, so that nothing that the code
//! prints or writes can pass for an answer.

#![allow(unused_comparisons, reason = "the macros over integer types compare unsigned ones with zero")]

pub mod claims;
pub mod containers;
pub mod contracts;
pub mod depth;
pub mod further;
pub mod iterators;
pub mod judge;
pub mod laws;
pub mod shipped;
pub mod show;
pub mod source;
pub mod supervisor;
pub mod text;
pub mod timing;
pub mod values;
pub mod vast;
pub mod wire;
pub mod worker;
pub mod wrong;

/// The standard library by a name that holds in every edition, in crates without it, and where a file gives
/// names of it to something else.
pub extern crate std as standard;

use std::io::{Read, Write};

pub use claims::{Told, Claim};
pub use values::{Arb, Shape};
pub use worker::{Contract, Functions, Inputs, Receiver, Table, clause};

/// The argument by which the program knows that it is the child.
const CHILD: &str = "--zeroerr-child";

/// The text of a value: its `Debug` output where it has one.
#[macro_export]
macro_rules! show {
    ($value:expr) => {{
        #[allow(unused_imports, reason = "one of the two fits")]
        use $crate::show::{ByDebug as _, ByName as _};
        (&$crate::show::Wrap($value)).text()
    }};
}

/// The failure that a value stands for.
#[macro_export]
macro_rules! failure {
    ($value:expr) => {{
        #[allow(unused_imports, reason = "one of the three fits")]
        use $crate::show::{ByNothing as _, ByOption as _, ByResult as _};
        (&$crate::show::Wrap($value)).failure()
    }};
}

/// A copy of a value, or a reference where it has no copies.
#[macro_export]
macro_rules! given {
    ($value:expr) => {{
        #[allow(unused_imports, reason = "one of the two fits")]
        use $crate::show::{ByClone as _, ByReference as _};
        (&$crate::show::Wrap($value)).given()
    }};
}

/// Where generated functions find their inputs, if their types can be made up.
#[macro_export]
macro_rules! inputs {
    ($args:ty, $functions:expr) => {{
        #[allow(unused_imports, reason = "one of the two fits")]
        use $crate::worker::{Makeable as _, NotMakeable as _};
        (&$crate::worker::Maker::<$args>::new($functions)).inputs()
    }};
}

/// Leaves a function with what a wrong one gives, where the function is to be wrong.
#[macro_export]
macro_rules! wrong {
    ($gives:ty, [$($shown:ident),*], [$($changed:ident),*]) => {
        if $crate::wrong::way() != 0 {
            #[allow(unused_imports, reason = "one of them fits")]
            use $crate::wrong::{ChangesAll as _, ChangesItems as _, ChangesNothing as _, Makes as _, MakesNothing as _, MakesOk as _};
            let arguments = [$($crate::show!(&$shown)),*];
            if let $crate::standard::option::Option::Some(value) = (&&$crate::wrong::Maker::<$gives>($crate::standard::marker::PhantomData)).made(&arguments) {
                if $crate::wrong::way() > 2 {
                    $((&mut $crate::wrong::Changes(&mut *$changed)).change(&arguments);)*
                }
                return value;
            }
        }
    };
}

/// An iterator over what a wrong function gives, or over what the right one does.
#[macro_export]
macro_rules! wrong_items {
    ($item:ty, [$($shown:ident),*], [$($changed:ident),*], $right:expr) => {{
        let mut made: $crate::standard::option::Option<$crate::standard::vec::Vec<$item>> = $crate::standard::option::Option::None;
        if $crate::wrong::way() != 0 {
            #[allow(unused_imports, reason = "one of them fits")]
            use $crate::wrong::{ChangesAll as _, ChangesItems as _, ChangesNothing as _, Makes as _, MakesNothing as _, MakesOk as _};
            let arguments = [$($crate::show!(&$shown)),*];
            made = (&&$crate::wrong::Maker::<$crate::standard::vec::Vec<$item>>($crate::standard::marker::PhantomData)).made(&arguments);
            if made.is_some() && $crate::wrong::way() > 2 {
                $((&mut $crate::wrong::Changes(&mut *$changed)).change(&arguments);)*
            }
        }
        match made {
            $crate::standard::option::Option::Some(items) => $crate::wrong::Items::Wrong($crate::standard::iter::IntoIterator::into_iter(items)),
            $crate::standard::option::Option::None => $crate::wrong::Items::Right($crate::standard::iter::IntoIterator::into_iter($right)),
        }
    }};
}

/// Runs a future to its end on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        std::thread::yield_now();
    }
}

/// Asks the kernel to keep the child from reading this process's memory or descriptors.
fn hide() {
    #[cfg(target_os = "linux")]
    {
        unsafe extern "C" {
            fn prctl(option: i32, ...) -> i32;
        }
        const PR_SET_DUMPABLE: i32 = 4;
        // SAFETY: takes integers and changes one flag of this process.
        unsafe { prctl(PR_SET_DUMPABLE, 0usize, 0usize, 0usize, 0usize) };
    }
}

/// What the program does: the child serves the table, its parent answers one request.
pub fn main(table: fn() -> Table) {
    if std::env::args().nth(1).as_deref() == Some(CHILD) {
        worker::serve(table);
        std::process::exit(70);
    }
    hide();
    let mut bytes = Vec::new();
    if std::io::stdin().read_to_end(&mut bytes).is_err() {
        std::process::exit(71);
    }
    let Ok(parts) = wire::receive(&mut &bytes[..]) else { std::process::exit(71) };
    let facts = supervisor::answer(&parts);
    let mut out = std::io::stdout();
    let done = out.write_all(facts.as_bytes()).and_then(|()| out.flush());
    std::process::exit(if done.is_ok() { 0 } else { 72 });
}
