//! Values of the structs and enums that the file itself declares: generated from those of their fields.
//!
//! A struct whose fields are private and that has a constructor keeps something true between its
//! fields; values that break it would show faults that are none, so none are made up.
//!
//! A type that holds values of its own type is made a few levels deep (`harness/depth.rs`).

use std::collections::HashSet;
use std::fmt::Write as _;

use tree_sitter::Node;

use super::super::tree::{children, nodes, parts, text, words};
use super::types::Substitution;

/// Most fields of one type.
const MOST: usize = 8;

/// The fields of a struct or of a variant.
struct Fields {
    /// Names, empty for a tuple.
    names: Vec<String>,
    types: Vec<String>,
    is_tuple: bool,
}

impl Fields {
    fn read(body: Option<Node<'_>>, source: &str) -> Option<Self> {
        let none = Substitution::default();
        let mut out = Self { names: Vec::new(), types: Vec::new(), is_tuple: false };
        let Some(body) = body else { return Some(out) };
        match body.kind() {
            "field_declaration_list" => {
                for field in parts(body).into_iter().filter(|n| n.kind() == "field_declaration") {
                    out.names.push(text(field.child_by_field_name("name")?, source).to_owned());
                    out.types.push(none.render(field.child_by_field_name("type")?, source));
                }
            }
            "ordered_field_declaration_list" => {
                out.is_tuple = true;
                let types = body.children_by_field_name("type", &mut body.walk()).collect::<Vec<_>>();
                out.types = types.into_iter().map(|n| none.render(n, source)).collect();
            }
            _ => return None,
        }
        (out.types.len() <= MOST).then_some(out)
    }

    /// The types that they name.
    fn named(&self) -> Vec<String> {
        self.types.iter().flat_map(|t| names_of_types(t)).collect()
    }

    /// The type of all fields together.
    fn tuple(&self) -> String {
        if self.types.is_empty() { "()".to_owned() } else { format!("({},)", self.types.join(", ")) }
    }

    /// A pattern or an expression of the type, with these texts for the fields.
    fn written(&self, path: &str, fields: &[String]) -> String {
        if self.types.is_empty() && !self.is_tuple {
            return path.to_owned();
        }
        if self.is_tuple {
            return format!("{path}({})", fields.join(", "));
        }
        let named: Vec<String> = self.names.iter().zip(fields).map(|(n, f)| format!("{n}: {f}")).collect();
        format!("{path} {{ {} }}", named.join(", "))
    }

    fn locals(&self) -> Vec<String> {
        (0..self.types.len()).map(|i| format!("__f{i}")).collect()
    }

    /// `|(__f0, __f1,)| Path { x: __f0, y: __f1 }`.
    fn make(&self, path: &str) -> String {
        let pattern = if self.types.is_empty() { "()".to_owned() } else { format!("({},)", self.locals().join(", ")) };
        format!("|{pattern}: {}| {}", self.tuple(), self.written(path, &self.locals()))
    }

    /// The fields of `self`, copied into a tuple.
    fn copied(&self) -> String {
        let all: Vec<String> = self.locals().iter().map(|l| format!("{l}.clone()")).collect();
        if all.is_empty() { "()".to_owned() } else { format!("({},)", all.join(", ")) }
    }

    /// Code that writes the value.
    fn shown(&self, path: &str) -> String {
        let holes = vec!["{}".to_owned(); self.types.len()];
        let mut pattern = self.written(path, &holes);
        if !self.is_tuple && !self.types.is_empty() {
            let named: Vec<String> = self.names.iter().map(|n| format!("{n}: {{}}")).collect();
            pattern = format!("{path} {{{{ {} }}}}", named.join(", "));
        }
        let values: Vec<String> = self.locals().iter().map(|l| format!(", {l}.source()")).collect();
        format!("__h::standard::format!(\"{pattern}\"{})", values.concat())
    }
}

/// One type with its variants; a struct has one, of its own name.
struct Own {
    name: String,
    variants: Vec<(String, Fields)>,
    /// How many of them, the first ones, hold no value of the type itself.
    flat: usize,
}

impl Own {
    /// The types that its fields name.
    fn named(&self) -> impl Iterator<Item = String> {
        self.variants.iter().flat_map(|(_, fields)| fields.named())
    }
}

/// The implementations for all types of the file that the given type texts lead to.
pub(super) fn implementations(root: Node<'_>, source: &str, wanted: &[String]) -> Vec<String> {
    let all = nodes(root);
    let mut open: Vec<String> = wanted.iter().flat_map(|t| names_of_types(t)).collect();
    let mut seen = HashSet::new();
    let mut out: Vec<Own> = Vec::new();
    while let Some(name) = open.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let declares = |n: &&Node<'_>| {
            matches!(n.kind(), "struct_item" | "enum_item")
                && n.child_by_field_name("name").is_some_and(|n| text(n, source) == name)
                && n.child_by_field_name("type_parameters").is_none()
        };
        let Some(own) = all.iter().find(declares).and_then(|n| read(*n, &name, &all, source)) else { continue };
        open.extend(own.named());
        out.push(own);
    }
    let leads_back: Vec<Vec<bool>> = out
        .iter()
        .map(|own| own.variants.iter().map(|(_, fields)| leads_to(&own.name, fields.named(), &out)).collect())
        .collect();
    for (own, leads_back) in out.iter_mut().zip(leads_back) {
        own.flat = leads_back.iter().filter(|leads| !**leads).count();
        let mut variants: Vec<(bool, (String, Fields))> = leads_back.into_iter().zip(own.variants.drain(..)).collect();
        variants.sort_by_key(|(leads, _)| *leads);
        own.variants = variants.into_iter().map(|(_, variant)| variant).collect();
    }
    out.iter().map(implementation).collect()
}

/// Whether values of the type may be found inside of those that are named.
fn leads_to(name: &str, mut open: Vec<String>, all: &[Own]) -> bool {
    let mut seen = HashSet::new();
    while let Some(next) = open.pop() {
        if next == name {
            return true;
        }
        if let Some(own) = all.iter().find(|own| own.name == next).filter(|_| seen.insert(next)) {
            open.extend(own.named());
        }
    }
    false
}

fn names_of_types(written: &str) -> Vec<String> {
    words(written).filter(|w| w.starts_with(char::is_uppercase)).map(str::to_owned).collect()
}

fn read(item: Node<'_>, name: &str, all: &[Node<'_>], source: &str) -> Option<Own> {
    let body = item.child_by_field_name("body");
    if item.kind() == "struct_item" {
        let public = body.map(nodes).unwrap_or_default().iter().filter(|n| n.kind() == "visibility_modifier").count();
        let fields = Fields::read(body, source)?;
        if public < fields.types.len() && has_constructor(name, all, source) {
            return None;
        }
        return Some(Own { name: name.to_owned(), variants: vec![(name.to_owned(), fields)], flat: 1 });
    }
    let mut variants = Vec::new();
    for variant in parts(body?).into_iter().filter(|n| n.kind() == "enum_variant") {
        let own = text(variant.child_by_field_name("name")?, source);
        variants.push((format!("{name}::{own}"), Fields::read(variant.child_by_field_name("body"), source)?));
    }
    let flat = variants.len();
    (!variants.is_empty()).then(|| Own { name: name.to_owned(), variants, flat })
}

/// Whether an `impl` of the type has a function that returns it.
fn has_constructor(name: &str, all: &[Node<'_>], source: &str) -> bool {
    let is_own = |n: &&Node<'_>| {
        n.kind() == "impl_item" && n.child_by_field_name("type").is_some_and(|t| text(t, source) == name)
    };
    all.iter().filter(is_own).any(|block| {
        let members = block.child_by_field_name("body").map(children).unwrap_or_default();
        members.iter().any(|m| {
            let returns = m.child_by_field_name("return_type").map_or("", |r| text(r, source));
            returns.contains("Self") || names_of_types(returns).iter().any(|w| w == name)
        })
    })
}

fn implementation(own: &Own) -> String {
    let name = &own.name;
    let mut small = String::new();
    let mut draw = String::new();
    let mut shrink = String::new();
    let mut shown = String::new();
    let count = own.variants.len();
    let is_recursive = own.flat < count;
    // What every level does, and how many variants the last one has: where each holds the type itself, it is within a
    // container that ends.
    let level = if is_recursive { "let __level = __h::depth::Level::enter(); " } else { "" };
    let (wide, made) = match is_recursive {
        true => ("let __level = __h::depth::Level::enter_wide(); ", "__h::depth::thinned(__out)"),
        false => ("", "__out"),
    };
    let chosen = match own.flat {
        flat if flat == count || flat == 0 => count.to_string(),
        flat => format!("if __h::depth::is_last() {{ {flat} }} else {{ {count} }}"),
    };
    for (at, (path, fields)) in own.variants.iter().enumerate() {
        if at == own.flat && at > 0 {
            small.push_str("if __h::depth::is_last() { return __out; } ");
        }
        let (tuple, make, pattern) = (fields.tuple(), fields.make(path), fields.written(path, &fields.locals()));
        let _ = write!(small, "for __v in <{tuple} as __h::Arb>::small() {{ __out.push(({make})(__v)); }} ");
        let _ = write!(draw, "{at} => ({make})(<{tuple} as __h::Arb>::draw(__s, __n)), ");
        let _ = write!(
            shrink,
            "{pattern} => {{ if {at} > 0 {{ __out.extend(<Self as __h::Arb>::small().into_iter().take(1)); }} __out.extend({}.shrink().into_iter().map({make})); }} ",
            fields.copied()
        );
        let _ = write!(shown, "{pattern} => {}, ", fields.shown(path));
    }
    let first = own.variants.first().map_or(String::new(), |(path, fields)| {
        format!("({})(<{} as __h::Arb>::nth(__i, __n, __shape))", fields.make(path), fields.tuple())
    });
    format!(
        "impl __h::Arb for {name} {{ \
         fn small() -> __h::standard::vec::Vec<Self> {{ {wide}let mut __out: __h::standard::vec::Vec<Self> = __h::standard::vec::Vec::new(); {small} {made} }} \
         fn draw(__s: &mut __h::source::Source, __n: usize) -> Self {{ {level}match __s.below({chosen}) {{ {draw} _ => __h::standard::unreachable!() }} }} \
         fn shrink(&self) -> __h::standard::vec::Vec<Self> {{ {level}let mut __out: __h::standard::vec::Vec<Self> = __h::standard::vec::Vec::new(); match self {{ {shrink} }} __out }} \
         fn source(&self) -> __h::standard::string::String {{ match self {{ {shown} }} }} \
         fn nth(__i: usize, __n: usize, __shape: __h::Shape) -> Self {{ {level}{first} }} }}"
    )
}
