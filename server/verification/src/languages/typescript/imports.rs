//! What a file brings in from other modules, by `import` and by `require`: what it binds, which of it
//! is missing, and how it is written.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use tree_sitter::Node;

use super::tree::{Dialect, children, has_word, nodes, parse, parse_any, parts, text};

/// What of a module a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// `import a from "m"`.
    Default,
    /// `import * as a from "m"`, and `const a = require("m")`.
    Namespace,
    /// `import { a } from "m"`, by the name that the module gives it.
    Named(String),
    /// `import "m"`.
    Nothing,
}

/// One name that a file brings in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Import {
    /// The module as written, without its quotes.
    pub module: String,
    /// What of it.
    pub what: What,
    /// The name here; empty when nothing is bound.
    pub local: String,
    /// `import type`.
    pub is_type: bool,
    /// Whether it is written as a call of `require`.
    pub is_require: bool,
    /// 1-based line.
    pub line: usize,
}

impl Import {
    /// The full name of what is brought in: `fs.readFile`, `fs`.
    pub fn full_name(&self) -> String {
        match &self.what {
            What::Named(name) => format!("{}.{name}", bare_module(&self.module)),
            _ => bare_module(&self.module).to_owned(),
        }
    }

    /// Whether both stand for the same thing under the same name, however it is written.
    pub fn is_same(&self, other: &Import) -> bool {
        let whole = |i: &Import| matches!(i.what, What::Default | What::Namespace);
        bare_module(&self.module) == bare_module(&other.module)
            && self.local == other.local
            && (self.what == other.what || (whole(self) && whole(other) && self.is_require != other.is_require))
    }

    /// `a` or `a as b`, between the braces of an import.
    pub fn specifier(&self) -> String {
        match &self.what {
            What::Named(name) if *name != self.local => format!("{name} as {}", self.local),
            _ => self.local.clone(),
        }
    }

    /// The statement that brings in this alone.
    pub fn statement(&self, style: Writing) -> String {
        let Self { module, local, .. } = self;
        let (quote, end) = (style.quote, if style.semicolons { ";" } else { "" });
        let from = format!("{quote}{module}{quote}");
        if style.requires {
            return match &self.what {
                What::Nothing => format!("require({from}){end}"),
                What::Named(name) if name != local => format!("const {{ {name}: {local} }} = require({from}){end}"),
                What::Named(name) => format!("const {{ {name} }} = require({from}){end}"),
                What::Default | What::Namespace => format!("const {local} = require({from}){end}"),
            };
        }
        let kind = if self.is_type { "type " } else { "" };
        match &self.what {
            What::Nothing => format!("import {from}{end}"),
            What::Named(_) => format!("import {kind}{{ {} }} from {from}{end}", self.specifier()),
            // What `require` gives is the default export of a module that is no ECMAScript module.
            What::Namespace if !self.is_require => format!("import {kind}* as {local} from {from}{end}"),
            What::Default | What::Namespace => format!("import {kind}{local} from {from}{end}"),
        }
    }
}

/// How a file writes what it brings in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Writing {
    /// `"` or `'`.
    pub quote: char,
    /// Whether statements end with a semicolon.
    pub semicolons: bool,
    /// Whether it calls `require`.
    pub requires: bool,
}

impl Writing {
    /// As candidates carry them.
    pub const PLAIN: Self = Self { quote: '"', semicolons: true, requires: false };

    /// As a file does it.
    pub fn of(root: Node<'_>, source: &str) -> Self {
        let statements = parts(root);
        let is_module = statements.iter().any(|n| matches!(n.kind(), "import_statement" | "export_statement"));
        let requires = !is_module && statements.iter().any(|n| !requires_in(*n, source).is_empty());
        let strings = nodes(root).into_iter().filter(|n| n.kind() == "string");
        let (single, double): (Vec<_>, Vec<_>) = strings.take(50).partition(|n| text(*n, source).starts_with('\''));
        let ends = |n: &&Node<'_>| {
            matches!(n.kind(), "import_statement" | "lexical_declaration" | "expression_statement")
                || (n.kind() == "export_statement" && !text(**n, source).ends_with('}'))
        };
        let ends: Vec<bool> = statements.iter().filter(ends).map(|n| text(*n, source).ends_with(';')).collect();
        let semicolons = ends.is_empty() || ends.iter().any(|has| *has);
        Self { quote: if single.len() > double.len() { '\'' } else { '"' }, semicolons, requires }
    }
}

/// A module of Node without the prefix that says so.
pub(super) fn bare_module(module: &str) -> &str {
    module.strip_prefix("node:").unwrap_or(module)
}

/// What a string literal says, if it is a plain one.
fn string_of(node: Node<'_>, source: &str) -> Option<String> {
    let whole = text(node, source);
    let plain = matches!(node.kind(), "string" | "template_string") && !whole.contains(['\\', '$']);
    plain.then(|| whole.trim_matches(['"', '\'', '`']).to_owned())
}

/// The names of one import statement.
pub(super) fn parse_statement(node: Node<'_>, source: &str) -> Vec<Import> {
    let line = node.start_position().row + 1;
    let inner = parts(node);
    let is_type = has_word(node, "type");
    let make = |module: &str, what: What, local: &str, is_require: bool, is_type: bool| Import {
        module: module.to_owned(),
        what,
        local: local.to_owned(),
        is_type,
        is_require,
        line,
    };
    if let Some(clause) = inner.iter().find(|n| n.kind() == "import_require_clause") {
        let module = clause.child_by_field_name("source").and_then(|n| string_of(n, source));
        let local = parts(*clause).into_iter().find(|n| n.kind() == "identifier").map_or("", |n| text(n, source));
        return module.map(|m| make(&m, What::Namespace, local, true, false)).into_iter().collect();
    }
    let Some(module) = node.child_by_field_name("source").and_then(|n| string_of(n, source)) else { return Vec::new() };
    let Some(clause) = inner.iter().find(|n| n.kind() == "import_clause") else {
        return vec![make(&module, What::Nothing, "", false, false)];
    };
    let mut out = Vec::new();
    for part in parts(*clause) {
        match part.kind() {
            "identifier" => out.push(make(&module, What::Default, text(part, source), false, is_type)),
            "namespace_import" => {
                let local = parts(part).into_iter().next().map_or("", |n| text(n, source));
                out.push(make(&module, What::Namespace, local, false, is_type));
            }
            _ => {
                for specifier in parts(part).into_iter().filter(|n| n.kind() == "import_specifier") {
                    let Some(name) = specifier.child_by_field_name("name").map(|n| text(n, source)) else { continue };
                    let local = specifier.child_by_field_name("alias").map_or(name, |n| text(n, source));
                    let is_type = is_type || has_word(specifier, "type");
                    out.push(match name {
                        "default" => make(&module, What::Default, local, false, is_type),
                        name => make(&module, What::Named(name.to_owned()), local, false, is_type),
                    });
                }
            }
        }
    }
    out
}

/// The names that a statement binds to what `require` gives; empty when it is no such statement.
pub(super) fn requires_in(statement: Node<'_>, source: &str) -> Vec<Import> {
    if !matches!(statement.kind(), "lexical_declaration" | "variable_declaration") {
        return Vec::new();
    }
    let line = statement.start_position().row + 1;
    let mut out = Vec::new();
    for declarator in parts(statement) {
        let required = declarator.child_by_field_name("value").and_then(|n| required_module(n, source));
        let (Some(module), Some(target)) = (required, declarator.child_by_field_name("name")) else {
            return Vec::new();
        };
        let make = |what: What, local: &str| Import {
            module: module.clone(),
            what,
            local: local.to_owned(),
            is_type: false,
            is_require: true,
            line,
        };
        match target.kind() {
            "identifier" => out.push(make(What::Namespace, text(target, source))),
            "object_pattern" => {
                for part in parts(target) {
                    let field = |name| part.child_by_field_name(name).map(|n| text(n, source));
                    match (part.kind(), field("key"), field("value")) {
                        ("shorthand_property_identifier_pattern", ..) => {
                            let name = text(part, source);
                            out.push(make(What::Named(name.to_owned()), name));
                        }
                        ("pair_pattern", Some(key), Some(value)) => out.push(make(What::Named(key.to_owned()), value)),
                        _ => return Vec::new(),
                    }
                }
            }
            _ => return Vec::new(),
        }
    }
    out
}

/// The module of `require("m")`.
fn required_module(node: Node<'_>, source: &str) -> Option<String> {
    let callee = node.child_by_field_name("function").filter(|_| node.kind() == "call_expression")?;
    let is_it = matches!((callee.kind(), text(callee, source)), ("identifier", "require") | ("import", _));
    let arguments = parts(node.child_by_field_name("arguments").filter(|_| is_it)?);
    arguments.first().and_then(|n| string_of(*n, source))
}

/// What the statements of a list bring in; empty for any other statement.
pub(super) fn imports_of(statement: Node<'_>, source: &str) -> Vec<Import> {
    if statement.kind() == "import_statement" {
        parse_statement(statement, source)
    } else {
        requires_in(statement, source)
    }
}

/// The names of statements given as text; what is no import is skipped.
pub(super) fn parse_all(statements: &[String]) -> Vec<Import> {
    let mut out: Vec<Import> = Vec::new();
    for statement in statements {
        let Some(tree) = parse_any(statement) else { continue };
        for import in children(tree.root_node()).into_iter().flat_map(|n| imports_of(n, statement)) {
            if !out.iter().any(|known| known.is_same(&import)) {
                out.push(import);
            }
        }
    }
    out
}

/// The imports that code uses.
pub(super) fn needed(imports: Vec<Import>, used: &HashSet<&str>) -> Vec<Import> {
    imports.into_iter().filter(|i| used.contains(i.local.as_str())).collect()
}

/// What stands at the top of a module.
pub(super) fn declared_in(root: Node<'_>, source: &str) -> Vec<Import> {
    children(root).into_iter().flat_map(|n| imports_of(n, source)).collect()
}

/// Every name that a subtree mentions; properties and keys excluded.
pub(super) fn used_names<'s>(root: Node<'_>, source: &'s str) -> HashSet<&'s str> {
    const NAMES: &[&str] = &["identifier", "type_identifier", "shorthand_property_identifier"];
    nodes(root).into_iter().filter(|n| NAMES.contains(&n.kind())).map(|n| text(n, source)).collect()
}

/// Every module that a file names: imports, exports from elsewhere, `require("m")`, `import("m")`.
pub(super) fn specifiers(source: &str, dialect: Dialect) -> Vec<String> {
    let Some(tree) = parse(source, dialect) else { return Vec::new() };
    let mut out: Vec<String> = Vec::new();
    for node in nodes(tree.root_node()) {
        let named = match node.kind() {
            "import_statement" | "export_statement" | "import_require_clause" => {
                node.child_by_field_name("source").and_then(|n| string_of(n, source))
            }
            "call_expression" => required_module(node, source),
            _ => None,
        };
        out.extend(named.filter(|n| !out.contains(n)));
    }
    out
}

/// The files that a relative module may be, in the order in which tools look; empty for a package.
pub(super) fn resolve(from: &Path, specifier: &str) -> Vec<PathBuf> {
    const ENDINGS: &[&str] = &["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "json"];
    if !(specifier.starts_with("./") || specifier.starts_with("../") || specifier == "." || specifier == "..") {
        return Vec::new();
    }
    let Some(base) = from.parent().map(|folder| tidy(&folder.join(specifier))) else { return Vec::new() };
    let mut out = Vec::new();
    let written = base.extension().and_then(|e| e.to_str()).unwrap_or("");
    // TypeScript names the file that a source will become.
    let sources: &[&str] = match written {
        "js" => &["ts", "tsx"],
        "jsx" => &["tsx"],
        "mjs" => &["mts"],
        "cjs" => &["cts"],
        _ => &[],
    };
    if ENDINGS.contains(&written) {
        out.push(base.clone());
    }
    out.extend(sources.iter().map(|ending| base.with_extension(ending)));
    let added = |name: &str| {
        let mut path = base.clone().into_os_string();
        path.push(name);
        PathBuf::from(path)
    };
    out.extend(ENDINGS.iter().map(|ending| added(&format!(".{ending}"))));
    out.extend(ENDINGS.iter().map(|ending| base.join(format!("index.{ending}"))));
    out
}

/// A path without `.` and `..`, as far as its own parts tell.
fn tidy(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = "import d, { a as b, type C } from 'm';\nimport * as ns from \"node:fs\";\nimport type { T } from './t';\n\
        import 'side';\nconst { x, y: z } = require('q');\nconst whole = require(\"node:path\");\nimport r = require(\"zz\");\n\
        const no = g(1), yes = require('k');\n";

    #[test]
    fn every_form_is_read_and_written() {
        let imports = parse_all(&[ALL.to_owned()]);
        let esm: Vec<String> = imports.iter().map(|i| i.statement(Writing::PLAIN)).collect();
        assert_eq!(
            esm,
            [
                "import d from \"m\";",
                "import { a as b } from \"m\";",
                "import type { C } from \"m\";",
                "import * as ns from \"node:fs\";",
                "import type { T } from \"./t\";",
                "import \"side\";",
                "import { x } from \"q\";",
                "import { y as z } from \"q\";",
                "import whole from \"node:path\";",
                "import r from \"zz\";",
            ]
        );
        let style = Writing { quote: '\'', semicolons: false, requires: true };
        let cjs: Vec<String> = imports.iter().map(|i| i.statement(style)).collect();
        assert_eq!(cjs[..2], ["const d = require('m')", "const { a: b } = require('m')"]);
        assert_eq!(cjs[5..8], ["require('side')", "const { x } = require('q')", "const { y: z } = require('q')"]);
        assert_eq!(imports[1].full_name(), "m.a");
        assert_eq!(imports[3].full_name(), "fs");
    }

    #[test]
    fn a_file_shows_how_it_writes() {
        let style = |source: &str| Writing::of(parse_any(source).unwrap().root_node(), source);
        assert_eq!(style("const a = require('b')\n"), Writing { quote: '\'', semicolons: false, requires: true });
        assert_eq!(
            style("import a from \"b\";\nconst c = require('d');\n"),
            Writing { quote: '"', semicolons: true, requires: false }
        );
        assert_eq!(style(""), Writing::PLAIN);
    }

    #[test]
    fn modules_are_found_wherever_they_are_named() {
        let source = "import a from './a';\nexport * from \"./b\";\nfunction f() { return require('./c') + import(`./d`) + import(x) }\nimport './a';";
        assert_eq!(specifiers(source, Dialect::TypeScript), ["./a", "./b", "./c", "./d"]);
    }

    #[test]
    fn a_relative_module_may_be_many_files_and_a_package_is_none() {
        let of = |specifier: &str| resolve(Path::new("/p/src/a.ts"), specifier);
        assert_eq!(of("./b.js")[..2], [PathBuf::from("/p/src/b.js"), PathBuf::from("/p/src/b.ts")]);
        assert_eq!(of("../lib/c")[0], PathBuf::from("/p/lib/c.ts"));
        assert!(of(".").contains(&PathBuf::from("/p/src/index.ts")));
        assert!(of("./median.v2").contains(&PathBuf::from("/p/src/median.v2.ts")));
        assert!(of("lodash").is_empty());
    }
}
