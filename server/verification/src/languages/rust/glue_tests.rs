//! Tests of the generated code: what it looks like, which piece a line belongs to, what is left out.

use super::super::specs::analyse;
use super::*;
use expect_test::expect;
use std::path::Path;
use std::sync::Arc;

fn plan(source: &str) -> Plan {
    let task = analyse(Path::new("f.rs"), &Arc::from(source)).tasks.remove(0);
    let mut plan = Plan::read(&task).expect("a function that can be called");
    plan.without(Probe::Wrong);
    plan
}

#[test]
fn a_function_leaves_with_something_wrong_when_it_is_told_to() {
    let task = analyse(Path::new("f.rs"), &Arc::from(HALF)).tasks.remove(0);
    let glued = Plan::read(&task).expect("a plan").glued(true, None);
    let line = glued.text.lines().nth(glued.wrong.start - 1).unwrap_or_default();
    let told = "-> Option<i32> { __zeroerr::__h::wrong!(Option<i32>, [xs, n], [xs]);";
    assert!(line.ends_with(told), "{line}");
    let function = |code: &str| {
        let source = format!("// @spec F.\n// @example f(1) == 1\n{code}\n");
        let task = analyse(Path::new("f.rs"), &Arc::from(source)).tasks.remove(0);
        let plan = Plan::read(&task).expect("a plan");
        plan.can_be_wrong().then(|| plan.glued(true, None).text.lines().nth(2).unwrap_or_default().to_owned())
    };
    expect![[r#"
              fn f(x: i32) -> i32 { __zeroerr::__h::wrong!(i32, [x], []); x }
        fn f<'a>(xs: &'a [i32]) -> impl Iterator<Item = &'a i32> + 'a { __zeroerr::__h::wrong_items!(&'static i32, [xs], [], __zeroerr_right_f(xs)) } fn __zeroerr_right_f<'a>(xs: &'a [i32]) -> impl Iterator<Item = &'a i32> + 'a { xs.iter() }
        fn f(mut n: i32) -> impl FnMut(&str) -> bool { let __given: __zeroerr::__h::standard::vec::Vec<__zeroerr::__h::standard::string::String> = __zeroerr::__h::standard::vec![__zeroerr::__h::show!(&n), ]; let mut __right = __zeroerr_right_f(n); move |__a0: &str| { __zeroerr::__h::wrong!(bool, [__given, __a0], []); __right(__a0) } } fn __zeroerr_right_f(mut n: i32) -> impl FnMut(&str) -> bool { move |_| n > 0 }"#]]
    .assert_eq(
        &[
            "const fn f(x: i32) -> i32 { x }",
            "fn f<'a>(xs: &'a [i32]) -> impl Iterator<Item = &'a i32> + 'a { xs.iter() }",
            "fn f(mut n: i32) -> impl FnMut(&str) -> bool { move |_| n > 0 }",
        ]
        .map(|code| function(code).expect("a wrong one"))
        .join("\n"),
    );
    for none in ["fn f(x: i32) -> impl std::fmt::Display { x }", "fn f(x: i32) -> ! { panic!() }"] {
        assert_eq!(function(none), None, "{none}");
    }
}

const HALF: &str = "// @spec F.\n// @requires !xs.is_empty()\n// @ensures new.xs == old.xs\n// @example half(&mut [1, 2], 3) == Some(1)\n// @raises panic half(&mut [], 1)\n// @property half(&mut xs.clone(), 1).is_some()\n// @budget 1ms half(&mut [1; 9], 2)\nfn half(xs: &mut [i32], n: usize) -> Option<i32> {\n    todo!()\n}\nfn main() {}\n";

#[test]
fn every_clause_becomes_a_piece_on_lines_of_its_own() {
    let glued = plan(HALF).glued(true, None);
    let lines: Vec<&str> = glued.text.lines().collect();
    let mut out = String::new();
    for (at, probe) in &glued.marks {
        let text = lines[at.start - 1..at.end - 1].join("\n");
        out += &format!("{probe:?}: {text}\n");
    }
    expect![[r#"
        Example(0): fn __claim_0() -> __h::Told {  match (&(half(&mut [1, 2], 3)), &(Some(1))) { (__l, __r) => __h::Told::Equation(*__l == *__r, __h::show!(__l), __h::show!(__r)) } }
        Raises(0): fn __claim_1() -> __h::Told { { let __v = { half(&mut [], 1) }; __h::Told::Value(__h::show!(&__v), __h::failure!(&__v)) } }
        Budget(0): fn __budget_0(__c: &mut __h::timing::Clock) { __c.run(|| ([1; 9], 2, ), |(mut __p0, __p1, )| half(&mut __p0, __p1)); }
        Inputs: type __Args = (Vec<i32>, usize,);
        Inputs: fn __text(__a: &__Args) -> __h::standard::string::String { __h::standard::format!("half(&mut {}, {})", __a.0.source(), __a.1.source()) }
        Requires(0): fn __requires_0(__a: &__Args) -> bool { let mut __b0 = __a.0.clone(); let mut xs = __b0; let mut __b1 = __a.1.clone(); let n = __b1;  !xs.is_empty() }
        Inputs: fn __unmet(__a: &__Args) -> __h::standard::option::Option<usize> { if !__requires_0(__a) { return __h::standard::option::Option::Some(0); } __h::standard::option::Option::None }
        Inputs: fn __outcome(__a: __Args) -> (__h::standard::string::String, __h::standard::vec::Vec<__h::worker::Changed>) { let __b0 = __h::show!(&__a.0); let (mut __p0, mut __p1, ) = __a; let __t = { let __v = half(&mut __p0[..], __p1); __h::show!(&__v) }; (__t, __h::standard::vec![("xs", __b0, __h::show!(&__p0)), ]) }
        Inputs: fn __contract(__a: __Args) -> __h::Contract { let __before = __a.clone(); let (mut __p0, mut __p1, ) = __a; let __v = half(&mut __p0[..], __p1); let mut __c = __h::standard::vec::Vec::new();
        Ensures(0): __c.push((0, __h::clause(|| { let mut __b0 = __before.0.clone(); let mut xs = __b0; let mut __b1 = __before.1.clone(); let n = __b1;  struct __Old<T0, T1, > { xs: T0, n: T1,  } let old = __Old { xs: __before.0.clone(), n: __before.1.clone(),  }; struct __New<T0, > { xs: T0,  } let new = __New { xs: __p0.clone(),  };  let result = __h::given!(&__v); new.xs == old.xs })));
        Inputs: __h::Contract { result: __h::show!(&__v), clauses: __c } }
        Law(0): fn __law_0(__a: __Args) -> bool { let mut __b0 = __a.0.clone(); let mut xs = __b0; let mut __b1 = __a.1.clone(); let n = __b1;  half(&mut xs.clone(), 1).is_some() }
        Inputs: fn __once(__a: __Args) { let (mut __p0, mut __p1, ) = __a; __h::standard::hint::black_box(half(&mut __p0[..], __p1)); }
        Pool(0): fn __pool_0() -> __Args { (([1, 2]).to_vec(), 3, ) }
        Pool(1): fn __pool_1() -> __Args { (([]).to_vec(), 1, ) }
        Inputs: __h::inputs!(__Args, __h::Functions { text: __text, unmet: __unmet, outcome: __outcome, contract: __contract, laws: __h::standard::vec![(0, __law_0 as fn(__Args) -> bool)], once: __once, pool: __h::standard::vec![(0, __pool_0 as fn() -> __Args), (1, __pool_1 as fn() -> __Args)] })
    "#]].assert_eq(&out);
    assert!(glued.text.starts_with(&HALF[..HALF.find("fn main").unwrap()]), "lines above keep their numbers");
    assert!(glued.text.contains("fn __zeroerr_main() {}\n"));
    assert!(glued.text.ends_with("fn main() { __zeroerr::main() }\n"));
}

#[test]
fn what_does_not_compile_is_left_out() {
    let mut plan = plan(HALF);
    for probe in [Probe::Example(0), Probe::Ensures(0), Probe::Requires(0)] {
        plan.without(probe);
    }
    let glued = plan.glued(false, None);
    assert!(!glued.text.contains("__claim_0") && glued.text.contains("__claim_1"));
    assert!(glued.text.contains("inputs:\n__h::standard::option::Option::None\n"), "{}", glued.text);
    assert!(!glued.text.contains("fn main() { __zeroerr"));
}

#[test]
fn generated_code_stands_in_the_functions_own_module() {
    let source = "mod a {\n    mod b {\n        // @spec F.\n        // @example f() == 1\n        fn f() -> i32 { 1 }\n    }\n}\n";
    let plan = plan(source);
    let glued = plan.glued(true, None);
    assert!(glued.text.starts_with("pub mod a {\n    pub mod b {\n"));
    assert!(glued.text.ends_with("\nfn main() { a::b::__zeroerr::main() }\n"));
    assert_eq!(glued.text.lines().nth(glued.lines.start - 1).map(|l| l.contains("pub mod __zeroerr")), Some(true));
}

#[test]
fn a_function_inside_another_cannot_be_called() {
    let source = "fn outer() {\n    // @spec F.\n    // @example f() == 1\n    fn f() -> i32 { 1 }\n}\n";
    let task = analyse(Path::new("f.rs"), &Arc::from(source)).tasks.remove(0);
    let error = Plan::read(&task).map(|_| ()).unwrap_err();
    assert_eq!(error, "`f` stands inside another function, where nothing else can call it; move it out");
}

#[test]
fn methods_are_called_on_what_the_examples_make() {
    let source = "struct S<T>(Vec<T>);\nimpl<T: Ord + Clone> S<T> {\n    // @spec F.\n    // @ensures self.0.len() > result.len()\n    // @example S(vec![1]).rest(2) == vec![]\n    fn rest(&self, by: T) -> Vec<T> { vec![] }\n    // @spec G.\n    // @example S::<i32>::of(1).0 == vec![1]\n    fn of(x: T) -> Self { S(vec![x]) }\n}\n";
    let glued = plan(source).glued(false, None);
    for part in [
        "type __Args = (__h::Receiver<1>, i32,);",
        "fn __receiver(__i: usize) -> S<i32> { match __i { 0 => S(vec![1]),  _ => __h::standard::unreachable!() } }",
        "__self.0.len() > result.len()",
        "__self.rest(__p0)",
    ] {
        assert!(glued.text.contains(part), "{part} in\n{}", glued.text);
    }
    let task = analyse(Path::new("f.rs"), &Arc::from(source)).tasks.remove(1);
    let glued = Plan::read(&task).unwrap().glued(false, None);
    assert!(glued.text.contains("<S<i32>>::of(__p0)"), "{}", glued.text);
}

#[test]
fn values_of_the_files_own_types_are_made_of_their_fields() {
    let source = "pub struct P { pub x: i32 }\npub struct Secret { n: u8 }\nimpl Secret { pub fn new(n: u8) -> Self { Secret { n } } }\nenum E { A, B(P) }\n// @spec F.\n// @example f(E::A) == 1\nfn f(e: E) -> i32 { 1 }\n";
    let glued = plan(source).glued(false, None);
    assert!(glued.text.contains("impl __h::Arb for E") && glued.text.contains("impl __h::Arb for P"));
    let secret = source.replace("fn f(e: E)", "fn f(e: Secret)").replace("f(E::A)", "f(Secret::new(1))");
    assert!(
        !plan(&secret).glued(false, None).text.contains("impl __h::Arb"),
        "it keeps something true between its fields"
    );
}
