/**
 * From the project's files to what workers load: esbuild takes types, enums, decorators and JSX away, one
 * file at a time, so that names stay what the user wrote. Expressions of the spec are taken through it
 * too, since they may be written in TypeScript.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import vm from "node:vm";

const MARK = "__zeroerr_clause";
const COMMON = /\bmodule\.exports\b|\bexports\.[\w$]+\s*=|\brequire\s*\(|^\s*import\s+[\w$]+\s*=\s*require\b|^\s*export\s*=/m;
const MODULE = /^\s*(?:import\b(?!\s*\()(?!\s+[\w$]+\s*=\s*require)|export\b(?!\s*=))|\bimport\.meta\b/m;

/** The subjects of a request for workers: one, or one per candidate. */
export async function built(request) {
  const { top: root, scratch, file } = request;
  const out = path.join(scratch, "built");
  const sources = request.candidates ?? [{ source: request.source }];
  const entries = sources.map(({ source }, i) => {
    const entry = path.join(path.dirname(file), `zeroerr-${i}-${path.basename(file)}`);
    writeFileSync(entry, `${source}\n${kept(request, source)}`);
    return entry;
  });
  const clauses = writeClauses(request, scratch);
  const others = request.modules.filter((name) => !/\.json$/.test(name));
  translate(request, [...entries, clauses, ...others], root, out);
  const texts = Object.fromEntries(request.modules.flatMap((name) => found(name, out, root)));
  const spec = readClauses(request, translated(clauses, out, root));
  return entries.map((entry) => {
    const text = translated(entry, out, root) ?? readFileSync(entry, "utf8");
    const modules = { ...texts, [file]: { text, cjs: isCommon(file, text) } };
    const { class: owner, is_static: isStatic, accessor, holder, field, bare, whole } = request;
    return { entry: file, modules, scratch, aliases: request.aliases, readable: request.readable, uses: request.uses, timed: request.mode === "performance", function: request.function, waits: request.waits, returns: request.returns, class: owner, is_static: isStatic, accessor, holder, field, bare, whole, ...spec };
  });
}

/** A use of the imports that only the spec names: what is not used is taken for a type. */
function kept(request, source) {
  const names = request.names.filter((name) => new RegExp(`import[^;'"]*\\b${name.replace(/\$/g, "\\$")}\\b`).test(source));
  return names.length === 0 ? "" : `;void (() => [${names.map((n) => `typeof ${n}`).join(", ")}]);\n`;
}

/** Translates many files at once; where one of them is at fault, one by one. */
function translate(request, files, root, out) {
  mkdirSync(out, { recursive: true });
  const plain = files.every((f) => /\.[mc]?js$/.test(f));
  if (files.length === 0 || plain) return;
  if (esbuild(request, files, root, out)) return;
  for (const file of files) esbuild(request, [file], root, out);
}

function esbuild(request, files, root, out) {
  const options = ["--target=node24", "--jsx=automatic", "--log-level=error", "--charset=utf8", `--outdir=${out}`, `--outbase=${path.dirname(root)}`, `--tsconfig-raw=${request.tsconfig}`];
  const done = spawnSync(request.esbuild, [...files, ...options, "--loader:.cts=ts", "--loader:.mts=ts", "--loader:.js=jsx"], { env: {}, stdio: ["ignore", "ignore", "pipe"] });
  if (done.error !== undefined) throw done.error;
  return done.status === 0;
}

function placeOf(file, out, root) {
  const below = path.relative(path.dirname(root), file).replace(/\.[mc]?[jt]sx?$/, ".js");
  return path.join(out, below);
}

/** The translation of a file, or `undefined` when there is none. */
function translated(file, out, root) {
  const place = placeOf(file, out, root);
  return existsSync(place) ? readFileSync(place, "utf8") : undefined;
}

function found(name, out, root) {
  if (!existsSync(name)) return [];
  const text = translated(name, out, root) ?? readFileSync(name, "utf8");
  return [[name, { text, cjs: isCommon(name, text) }]];
}

function isCommon(name, text) {
  if (/\.c[jt]s$/.test(name)) return true;
  return !/\.m[jt]s$/.test(name) && !MODULE.test(text) && COMMON.test(text);
}

/** The texts of the spec that are evaluated, in a fixed order. */
function textsOf(request) {
  const examples = request.examples.flatMap((e) => [e.left, e.right, e.code]);
  return [...request.requires, ...request.ensures, ...request.properties, ...examples, ...request.budgets].filter((t) => t !== undefined);
}

const waits = (text) => (/\bawait\b/.test(text) ? "async () => " : "() => ");

/** A file in which each text stands as a function that hands itself over. */
function writeClauses(request, scratch) {
  const lines = textsOf(request).map((text, i) => `${MARK}(${i}, ${waits(text)}(${text}\n));`);
  lines.push(`${MARK}("binder", ${request.binder});`);
  const file = path.join(path.dirname(request.file), "zeroerr-clauses.ts");
  writeFileSync(file, lines.join("\n"));
  return file;
}

/** The spec in plain JavaScript; a text that could not be translated stays as it is. */
function readClauses(request, text) {
  const known = new Map();
  try {
    const context = vm.createContext({ [MARK]: (i, made) => known.set(i, Function.prototype.toString.call(made)) });
    vm.runInContext(text, context, { timeout: 1000 });
  } catch {
    known.clear();
  }
  let at = 0;
  const next = (original) => {
    const made = known.get(at);
    at += 1;
    return made ?? `${waits(original)}(${original})`;
  };
  const list = (texts) => texts.map(next);
  const spec = { requires: list(request.requires), ensures: list(request.ensures), properties: list(request.properties) };
  for (const example of request.examples) {
    for (const part of ["left", "right", "code"]) if (example[part] !== undefined) example[part] = next(example[part]);
  }
  request.budget_codes = list(request.budgets);
  return { ...spec, binder: known.get("binder") ?? request.binder, binds: request.binds, requires_uses: request.requires_uses };
}
