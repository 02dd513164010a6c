//! From a parameter's type as written to a type whose values can be kept, copied and made up.

use std::collections::HashMap;

use tree_sitter::Node;

use super::super::tree::{children, nodes, parts, text, walk};
use super::generics::{Constant, listed};

/// How an argument is kept, and how it is passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Kept {
    /// A copy of it: `Vec<f64>`, or a reference that lives for ever.
    Copy(String),
    /// What it refers to, passed by `&`.
    Shared(String),
    /// What it refers to, passed by `&mut`.
    Mutable(String),
    /// The elements of a slice, passed by `&mut`.
    MutableSlice(String),
    /// The elements of an iterator.
    Elements(String),
}

impl Kept {
    /// The type of what is kept.
    pub fn owned(&self) -> String {
        match self {
            Kept::Copy(t) | Kept::Shared(t) | Kept::Mutable(t) => t.clone(),
            Kept::MutableSlice(t) | Kept::Elements(t) => format!("Vec<{t}>"),
        }
    }

    /// Whether the call can change it.
    pub fn is_mutable(&self) -> bool {
        matches!(self, Kept::Mutable(_) | Kept::MutableSlice(_))
    }

    /// The argument in a call, made of a local variable that holds it.
    pub fn passed(&self, local: &str) -> String {
        match self {
            Kept::Copy(_) => local.to_owned(),
            Kept::Shared(_) => format!("&{local}"),
            Kept::Mutable(_) => format!("&mut {local}"),
            Kept::MutableSlice(_) => format!("&mut {local}[..]"),
            Kept::Elements(_) => format!("{local}.into_iter()"),
        }
    }

    /// What stands before and behind the value in the text of a call.
    pub fn around(&self) -> (&'static str, &'static str) {
        match self {
            Kept::Copy(_) => ("", ""),
            Kept::Shared(_) => ("&", ""),
            Kept::Mutable(_) | Kept::MutableSlice(_) => ("&mut ", ""),
            Kept::Elements(_) => ("", ".into_iter()"),
        }
    }
}

/// What the type parameters around a function stand for in the check.
#[derive(Debug, Default)]
pub(in super::super) struct Substitution {
    types: HashMap<String, String>,
    /// Parameters that are iterators, by the type of their elements.
    iterators: HashMap<String, String>,
    /// The type of `Self`.
    own: Option<String>,
}

impl Substitution {
    /// Reads the type parameters of a function, and of the `impl` block around it.
    pub fn of(function: Node<'_>, around: Option<Node<'_>>, source: &str, constants: &[Constant]) -> Self {
        let mut this = Self::default();
        this.types.extend(constants.iter().map(|c| (c.name.clone(), c.value.clone())));
        for item in around.into_iter().chain([function]) {
            let wheres = children(item).into_iter().filter(|n| n.kind() == "where_clause").flat_map(parts);
            let bounds: Vec<String> = wheres.map(|n| squeezed(n, source)).collect();
            let list = item.child_by_field_name("type_parameters").map(parts).unwrap_or_default();
            for parameter in list {
                this.read(parameter, &bounds, source);
            }
        }
        if let Some(of) = around.and_then(|n| n.child_by_field_name("type")) {
            this.own = Some(this.render(of, source));
        }
        this
    }

    fn read(&mut self, parameter: Node<'_>, wheres: &[String], source: &str) {
        let Some(name) = parameter.child_by_field_name("name").map(|n| text(n, source).to_owned()) else { return };
        if parameter.kind() == "const_parameter" {
            return;
        }
        let mut bounds = squeezed(parameter, source);
        let prefix = format!("{name}:");
        for clause in wheres.iter().filter(|w| w.starts_with(&prefix)) {
            bounds.push_str(clause);
        }
        if let Some(element) = element_of(parameter, source, self) {
            self.iterators.insert(name.clone(), element);
        } else if let Some(stand_in) = stand_in(&bounds) {
            self.types.insert(name, stand_in.to_owned());
        }
    }

    /// The type parameters of a function with what stands for each, as its call writes them; only where one of them is
    /// a constant, which a call alone may not show.
    pub fn written(&self, function: Node<'_>, source: &str) -> String {
        let list = listed(function);
        if !list.iter().any(|n| n.kind() == "const_parameter") {
            return String::new();
        }
        let name = |n: &Node<'_>| text(n.child_by_field_name("name").unwrap_or(*n), source);
        let all: Vec<&str> = list.iter().map(|n| self.types.get(name(n)).map_or("_", String::as_str)).collect();
        format!("::<{}>", all.join(", "))
    }

    /// The type of `Self`, if there is one.
    pub fn own(&self) -> Option<&str> {
        self.own.as_deref()
    }

    /// How a parameter of this type is kept; `None` where no values can be made up.
    pub fn kept(&self, node: Node<'_>, source: &str) -> Option<Kept> {
        match node.kind() {
            "reference_type" => {
                let inner = node.child_by_field_name("type")?;
                let is_mutable = children(node).iter().any(|n| n.kind() == "mutable_specifier");
                let slice = (inner.kind() == "array_type" && inner.child_by_field_name("length").is_none())
                    .then(|| inner.child_by_field_name("element"))
                    .flatten();
                let is_text = text(inner, source) == "str";
                match (is_mutable, slice) {
                    (true, Some(element)) => Some(Kept::MutableSlice(self.render(element, source))),
                    (true, None) if is_text => None,
                    (true, None) => Some(Kept::Mutable(self.known(inner, source)?)),
                    (false, Some(_)) => Some(Kept::Copy(self.render(node, source))),
                    (false, None) if is_text => Some(Kept::Copy("&'static str".to_owned())),
                    (false, None) => Some(Kept::Shared(self.known(inner, source)?)),
                }
            }
            "abstract_type" => match element_of(node, source, self) {
                Some(element) => Some(Kept::Elements(element)),
                None => stand_in(&squeezed(node, source)).filter(|s| *s != "i32").map(|s| Kept::Copy(s.to_owned())),
            },
            "type_identifier" if self.iterators.contains_key(text(node, source)) => {
                self.iterators.get(text(node, source)).cloned().map(Kept::Elements)
            }
            _ => self.known(node, source).map(Kept::Copy),
        }
    }

    fn known(&self, node: Node<'_>, source: &str) -> Option<String> {
        let foreign = ["function_type", "dynamic_type", "pointer_type", "abstract_type", "bounded_type"];
        let unknown = nodes(node).iter().any(|n| foreign.contains(&n.kind()));
        (!unknown).then(|| self.render(node, source))
    }

    /// The type with everything filled in that a type of its own right needs.
    pub fn render(&self, node: Node<'_>, source: &str) -> String {
        let mut out = String::new();
        walk(node, |n, visit| {
            if visit == super::super::tree::Visit::Leave {
                return false;
            }
            if n.kind() == "lifetime" {
                out.push_str("'static ");
                return false;
            }
            if n.child_count() > 0 {
                return true;
            }
            let word = text(n, source);
            match self.types.get(word) {
                Some(stand_in) if matches!(n.kind(), "type_identifier" | "identifier") => out.push_str(stand_in),
                _ if word == "Self" => out.push_str(self.own.as_deref().unwrap_or(word)),
                _ => out.push_str(word),
            }
            let refers = n.kind() == "&" && n.parent().is_some_and(|p| p.kind() == "reference_type");
            let has_lifetime = || n.parent().is_some_and(|p| children(p).iter().any(|c| c.kind() == "lifetime"));
            if refers && !has_lifetime() {
                out.push_str("'static ");
            }
            if matches!(word, "mut" | "dyn" | "const" | ";" | ",") {
                out.push(' ');
            }
            false
        });
        out
    }
}

/// The element's type of `impl Iterator<Item = T>`, or of a parameter bound like that.
pub(in super::super) fn element_of(bounds: Node<'_>, source: &str, names: &Substitution) -> Option<String> {
    let binding = nodes(bounds).into_iter().find(|n| n.kind() == "type_binding")?;
    let holder = binding.parent()?.parent()?;
    let of = holder.child_by_field_name("type").map_or("", |n| text(n, source));
    let is_iterator = matches!(of, "Iterator" | "IntoIterator" | "DoubleEndedIterator" | "ExactSizeIterator");
    let element = binding.child_by_field_name("type").filter(|_| is_iterator)?;
    Some(names.render(element, source))
}

/// A type that satisfies bounds like these; `None` for functions.
fn stand_in(bounds: &str) -> Option<&'static str> {
    let has = |words: &[&str]| words.iter().any(|w| bounds.contains(w));
    if has(&["Fn(", "FnMut(", "FnOnce(", "Read", "Write", "Future"]) {
        None
    } else if has(&["AsRef<str>", "Into<String>", "ToString", "AsRef<Path>", "Borrow<str>"]) {
        Some("&'static str")
    } else if has(&["AsRef<[u8]>"]) {
        Some("Vec<u8>")
    } else if has(&["Float", "f64", "Into<f64>"]) {
        Some("f64")
    } else {
        Some("i32")
    }
}

fn squeezed(node: Node<'_>, source: &str) -> String {
    text(node, source).split_whitespace().collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::tree::parse;
    use super::*;
    use expect_test::{Expect, expect};

    fn check(source: &str, expected: Expect) {
        let tree = parse(source).unwrap();
        let all = nodes(tree.root_node());
        let function = *all.iter().find(|n| n.kind() == "function_item").unwrap();
        let around = all.iter().find(|n| n.kind() == "impl_item").copied();
        let three = Constant { name: "N".into(), kind: "usize".into(), value: "3".into() };
        let names = Substitution::of(function, around, source, &[three]);
        let list = function.child_by_field_name("parameters").unwrap();
        let mut out = String::new();
        for parameter in parts(list).into_iter().filter(|n| n.kind() == "parameter") {
            let written = parameter.child_by_field_name("type").unwrap();
            out += &format!("{} -> {:?}\n", text(written, source), names.kept(written, source));
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn every_kind_of_parameter_is_kept_in_its_own_way() {
        check(
            "fn f<'a, T: Ord + Clone, I: IntoIterator<Item = &'a T>, S, const N: usize>(a: &[f64], b: &'a str, c: &mut Vec<T>, d: &mut [T], e: I, f: impl Iterator<Item = (u8, &str)>, g: [T; N], h: Option<&str>, i: &HashMap<String, Vec<T>>, j: S, k: impl Fn(i32) -> i32, l: &dyn Any, m: Box<dyn Fn()>, n: impl AsRef<str>, o: &mut str, p: (i32, std::string::String)) where S: Into<String> {}",
            expect![[r#"
                &[f64] -> Some(Copy("&'static [f64]"))
                &'a str -> Some(Copy("&'static str"))
                &mut Vec<T> -> Some(Mutable("Vec<i32>"))
                &mut [T] -> Some(MutableSlice("i32"))
                I -> Some(Elements("&'static i32"))
                impl Iterator<Item = (u8, &str)> -> Some(Elements("(u8, &'static str)"))
                [T; N] -> Some(Copy("[i32; 3]"))
                Option<&str> -> Some(Copy("Option<&'static str>"))
                &HashMap<String, Vec<T>> -> Some(Shared("HashMap<String, Vec<i32>>"))
                S -> Some(Copy("&'static str"))
                impl Fn(i32) -> i32 -> None
                &dyn Any -> None
                Box<dyn Fn()> -> None
                impl AsRef<str> -> Some(Copy("&'static str"))
                &mut str -> None
                (i32, std::string::String) -> Some(Copy("(i32, std::string::String)"))
            "#]],
        );
        check(
            "impl<T: Float> Grid<T> { fn g(&self, a: T, b: &Self, c: Vec<Self>) {} }",
            expect![[r#"
            T -> Some(Copy("f64"))
            &Self -> Some(Shared("Grid<f64>"))
            Vec<Self> -> Some(Copy("Vec<Grid<f64>>"))
        "#]],
        );
    }
}
