/** From the types of a signature, as the server describes them, and the examples' values to kinds. */
import { Day } from "./dates.mjs";
import { isPlain } from "./fits.mjs";
import { Big, Dict, Either, Fixed, Many, Num, Row, Str } from "./kinds.mjs";
import { literal, source } from "./literals.mjs";

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const NOTHING = { numbers: [], texts: [], fractions: false, found: {} };
const PATTERNS = ["/a/", "/^\\d+$/g", "/b+/i"];
const CALLBACKS = [
  ["() => 0", "() => 1", "() => true", "() => \"a\""],
  ["(a) => a", "(a) => 0", "(a) => true", "(a) => false", "(a) => [a]", "(a) => String(a)", "(a) => (typeof a === \"number\" ? a % 2 === 0 : !a)"],
  ["(a, b) => a", "(a, b) => b", "(a, b) => (a < b ? -1 : a > b ? 1 : 0)", "(a, b) => (a < b ? 1 : a > b ? -1 : 0)", "(a, b) => [a, b]", "(a, b) => a === b", "(a, b) => a + b"],
];
const RETURNED = {
  boolean: ["true", "false", "Boolean(a)", "typeof a === \"number\" ? a % 2 === 0 : !a"],
  number: ["0", "1", "-1", "typeof a === \"number\" ? a : String(a).length"],
  string: ['""', '"a"', "String(a)"],
};

/**
 * The kind of a type; `hints` are values that examples pass, `extreme` asks for
 * values that are not finite, `signed` for both zeros, `near` are numbers and texts that clauses name: it asks for
 * `fractions` where the hints have none, and is told in `found` whether there was such a place.
 * `undefined` when no value can be made up.
 */
export function kindOf(type, hints = [], how = {}, depth = 0) {
  if (depth > 8) return undefined;
  const { extreme = false, signed = false, near = NOTHING } = how;
  const { kind, of } = type;
  const inner = (t, values = []) => kindOf(t, values, how, depth + 1);
  switch (kind) {
    case "number":
      return number(hints, near, extreme, signed);
    case "big_int":
      return new Big();
    case "string":
      return new Str(hints, near.texts);
    case "boolean":
      return new Fixed(["true", "false"]);
    case "null":
    case "undefined":
      return new Fixed([kind]);
    case "symbol":
      return new Fixed(['Symbol.for("a")', 'Symbol.for("b")']);
    case "literal":
      return new Fixed([of]);
    case "date":
      return new Day(near.texts);
    case "reg_exp":
      return new Fixed(PATTERNS);
    case "array":
    case "iterable":
      return of.kind === "deeper" ? new Fixed(["[]"]) : many(inner(of, elements(hints)), "[", "]");
    case "set":
      if (of.kind === "deeper") return new Fixed(["new Set()"]);
      return many(inner(of, elements(hints)), "new Set([", "])");
    case "typed_array":
      return many(/Big/.test(of) ? new Big() : new Num([1]), `new ${of}([`, "])");
    case "promise":
      return mapped(inner(of), (text) => `Promise.resolve(${text})`);
    case "tuple":
      return row(of.map((t, i) => inner(t, hints.filter(Array.isArray).map((h) => h[i]))), (texts) => `[${texts.join(", ")}]`, Array.isArray);
    case "object":
      return object(of, hints, inner);
    case "record":
      if (of[1].kind === "deeper") return new Fixed(["{}"]);
      return dictionary(inner(of[0], fieldNames(hints)), inner(of[1], fieldValues(hints)), true);
    case "map":
      if (of.some((t) => t.kind === "deeper")) return new Fixed(["new Map()"]);
      return dictionary(inner(of[0]), inner(of[1]), false);
    case "union": {
      const parts = of.map((t) => inner(t, hints)).filter((k) => k !== undefined);
      return parts.length > 1 ? new Either(parts) : parts[0];
    }
    case "function":
      return new Fixed(callbacks(of.params, of.returns));
    case "class":
      return row(of[1].map((t) => inner(t)), (texts) => `new ${of[0]}(${texts.filter((t) => t !== undefined).join(", ")})`);
    case "template":
      return template(of, inner);
    case "shown":
      return shown(hints);
    case "deeper":
      return undefined;
    case "generic":
    case "any":
      return inferred(hints, near) ?? new Either([new Num([1], false, false, near.numbers), new Str([], near.texts), new Fixed(["null", "undefined", "true"])]);
    default:
      return inferred(hints, near);
  }
}

function number(hints, near, extreme = false, signed = false) {
  const made = new Num(hints, extreme, signed, near.numbers, near.fractions);
  if (made.whole && !near.fractions) near.found.whole = true;
  return made;
}

/** Texts with fixed parts. */
function template(pieces, inner) {
  const parts = pieces.filter(([, type]) => type !== null).map(([, type]) => inner(type));
  const write = (texts) => JSON.stringify(pieces.map(([said], i) => said + (i < texts.length ? String(literal(texts[i])?.value) : "")).join(""));
  return parts.length === 0 ? new Fixed([write([])]) : row(parts, write);
}

/** What examples show, and nothing else. */
function shown(hints) {
  const texts = hints.map(source).filter((text) => text !== undefined);
  return texts.length === 0 ? undefined : new Fixed(texts);
}

function callbacks(params, returns) {
  const list = CALLBACKS[Math.min(params, 2)];
  const bodies = RETURNED[returns?.kind];
  if (bodies === undefined || params === 0) return bodies === undefined ? list : bodies.filter((b) => !b.includes("a)") && !/\ba\b(?!")/.test(b)).map((b) => `() => ${b}`);
  const head = params === 1 ? "(a)" : "(a, b)";
  const ordering = params >= 2 && returns.kind === "number" ? ["(a, b) => (a < b ? -1 : a > b ? 1 : 0)", "(a, b) => (a < b ? 1 : a > b ? -1 : 0)"] : [];
  return [...ordering, ...bodies.map((b) => `${head} => ${b}`)];
}

function many(element, head, tail) {
  return element === undefined ? undefined : new Many(element, head, tail);
}

/** `isOne` says which values the row can be read from, field by field; `names` are the fields'. */
function row(parts, write, isOne, names, optional) {
  if (parts.some((p) => p === undefined)) return undefined;
  const fits = (value) => isOne(value) && (names !== undefined || value.length === parts.length);
  const read = isOne === undefined ? undefined : (value) => (fits(value) ? parts.map((_, i) => value[names === undefined ? i : names[i]]) : undefined);
  return new Row(parts, write, read, optional);
}

function mapped(kind, write) {
  return kind === undefined ? undefined : new Row([kind], ([text]) => write(text));
}

function object(fields, hints, inner) {
  const values = hints.filter((h) => typeof h === "object" && h !== null && !Array.isArray(h));
  const parts = fields.map(([name, type]) => inner(type, values.map((h) => h[name]).filter((h) => h !== undefined)));
  const names = fields.map(([name]) => (IDENTIFIER.test(name) ? name : JSON.stringify(name)));
  const write = (texts) => {
    const written = texts.map((t, i) => (t === undefined ? undefined : `${names[i]}: ${t}`)).filter((t) => t !== undefined);
    return written.length === 0 ? "{}" : `{ ${written.join(", ")} }`;
  };
  const usable = parts.map((p, i) => p ?? (fields[i][2] ? new Fixed(["undefined"]) : undefined));
  return row(usable, write, isPlain, fields.map(([name]) => name), fields.map(([, , optional]) => optional));
}

function dictionary(key, item, plain) {
  if (key === undefined || item === undefined) return undefined;
  const write = plain
    ? (pairs) => (pairs.length === 0 ? "{}" : `{ ${pairs.map(([k, v]) => `${k !== '"__proto__"' && /^["\d]/.test(k) ? k : `[${k}]`}: ${v}`).join(", ")} }`)
    : (pairs) => `new Map([${pairs.map(([k, v]) => `[${k}, ${v}]`).join(", ")}])`;
  const entries = (k, v, size) => `Array.from({ length: ${size} }, (_, i) => [${k}, ${v}])`;
  return new Dict(key, item, write, (k, v, size) => `${plain ? "Object.fromEntries" : "new Map"}(${entries(k, v, size)})`);
}

function elements(hints) {
  return hints.flatMap((h) => (Array.isArray(h) ? h : h instanceof Set ? [...h] : []));
}

function fieldNames(hints) {
  return hints.filter((h) => typeof h === "object" && h !== null).flatMap((h) => Object.keys(h));
}

function fieldValues(hints) {
  return hints.filter((h) => typeof h === "object" && h !== null).flatMap((h) => Object.values(h));
}

/** The kind that the values of examples have in common. */
export function inferred(hints, near = NOTHING) {
  if (hints.length === 0) return undefined;
  const kinds = [];
  const some = (test) => hints.some(test);
  if (some((h) => typeof h === "number")) kinds.push(number(hints, near));
  if (some((h) => typeof h === "string")) kinds.push(new Str(hints, near.texts));
  if (some((h) => typeof h === "boolean")) kinds.push(new Fixed(["true", "false"]));
  if (some((h) => typeof h === "bigint")) kinds.push(new Big());
  if (some((h) => h === null)) kinds.push(new Fixed(["null"]));
  if (some((h) => h === undefined)) kinds.push(new Fixed(["undefined"]));
  if (some(Array.isArray)) kinds.push(many(inferred(elements(hints), near) ?? new Num([1]), "[", "]"));
  if (some((h) => h instanceof Set)) kinds.push(many(inferred(elements(hints), near) ?? new Num([1]), "new Set([", "])"));
  if (some((h) => h instanceof Date)) kinds.push(new Day(near.texts));
  const plain = hints.filter(isPlain);
  if (plain.length > 0) kinds.push(shape(plain, near));
  const found = kinds.filter((k) => k !== undefined);
  return found.length > 1 ? new Either(found) : found[0];
}

/** Objects that all have the same fields are records of those; others are dictionaries. */
function shape(values, near) {
  const names = [...new Set(values.flatMap((v) => Object.keys(v)))];
  if (names.length > 0 && values.every((v) => names.every((n) => n in v))) {
    const parts = names.map((n) => inferred(values.map((v) => v[n]), near));
    return row(parts, (texts) => `{ ${texts.map((t, i) => `${IDENTIFIER.test(names[i]) ? names[i] : JSON.stringify(names[i])}: ${t}`).join(", ")} }`, isPlain, names);
  }
  return dictionary(new Str(names), inferred(fieldValues(values), near) ?? new Num([1]), true);
}
