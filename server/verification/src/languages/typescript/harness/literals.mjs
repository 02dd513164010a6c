/** Values that can be said without the file: evaluated by the judge, written back as source, changed a little. */
import vm from "node:vm";

import { equality, show } from "./values.mjs";

/** A limit costs a thread for each evaluation. What only writes values down needs none: it has no call and takes no member. */
const LIMIT = { timeout: 500 };
const TOKENS = [
  /[\s[\]{},:()+-]/,
  /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?n?(?![\w$.])/,
  /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/,
  /(?:true|false|null|undefined|NaN|Infinity)\b(?!\s*:)/,
  /[A-Za-z_$][\w$]*(?=\s*:)/,
];
const VALUES = new RegExp(`^(?:${TOKENS.map((token) => token.source).join("|")})*$`);
const USE = /[\w$\])}"']\s*[[(]/;
const limits = (text) => (VALUES.test(text) && !USE.test(text) ? {} : LIMIT);

/** `{ value }` of an expression that needs nothing but the language, or `undefined`. */
export function literal(text) {
  try {
    const value = vm.runInThisContext(`"use strict"; (${text}\n)`, limits(text));
    if (typeof value === "function" || typeof value?.then === "function") return undefined;
    return { value };
  } catch {
    return undefined;
  }
}

/** Arguments by place of a call's text `(1, [2])`; `undefined` when they need the file's names. */
export function literalArguments(texts) {
  const found = texts.map(literal);
  return found.every((f) => f !== undefined) && texts.every((text) => !text.trim().startsWith("...")) ? found.map((f) => f.value) : undefined;
}

/** The source of a value; what cannot be written back is `undefined`. */
export function source(value) {
  const text = show(value, "source");
  const back = literal(text);
  return back !== undefined && equality(back.value)[0] === equality(value)[0] ? text : undefined;
}

/** The value changed in one place. `others` are values to borrow from. */
export function mutated(value, rng, others, depth = 0) {
  switch (typeof value) {
    case "number":
      return number(value, rng);
    case "string":
      return string(value, rng, others);
    case "boolean":
      return !value;
    case "bigint":
      return [value + 1n, value - 1n, -value, 0n, value * 2n][rng.below(5)];
    default:
      return value !== null && typeof value === "object" && depth < 6 ? container(value, rng, others, depth) : value;
  }
}

function number(value, rng) {
  const changed = [value + 1, value - 1, 0, -value, value * 2, value + 0.5, Math.trunc(value / 2), value + 10][rng.below(8)];
  return Number.isInteger(value) && !Number.isInteger(changed) ? value + 2 : changed === 0 ? 0 : changed;
}

function string(value, rng, others) {
  const letters = [...value];
  const all = [...value, ...others.filter((o) => typeof o === "string").join("")];
  const letter = all.length > 0 ? all[rng.below(all.length)] : "a";
  const place = rng.below(letters.length + 1);
  switch (rng.below(7)) {
    case 0:
      letters.splice(place, 0, letter);
      break;
    case 1:
      letters.splice(place, 1);
      break;
    case 2:
      letters.reverse();
      break;
    case 3:
      return value + value;
    case 4:
      return value === value.toUpperCase() ? value.toLowerCase() : value.toUpperCase();
    case 5:
      letters.splice(place, 0, " ");
      break;
    default:
      if (letters.length > 0) letters[place % letters.length] = letter;
  }
  return letters.join("");
}

function container(value, rng, others, depth) {
  if (Array.isArray(value)) return array(value, rng, others.flatMap((o) => (Array.isArray(o) ? o : [])), depth);
  if (value instanceof Map) return new Map(array([...value], rng, [], depth).filter((pair) => Array.isArray(pair) && pair.length === 2));
  if (value instanceof Set) return new Set(array([...value], rng, [], depth));
  if (value instanceof Date) return new Date(value.getTime() + [86_400_000, -86_400_000, 1000, 0][rng.below(4)]);
  const names = Object.keys(value);
  if (Object.getPrototypeOf(value) !== Object.prototype || names.length === 0) return value;
  const name = names[rng.below(names.length)];
  return { ...value, [name]: mutated(value[name], rng, others.map((o) => o?.[name]).filter((o) => o !== undefined), depth + 1) };
}

function array(items, rng, others, depth) {
  const changed = [...items];
  const place = rng.below(changed.length + 1);
  const pool = [...items, ...others];
  const fresh = pool.length > 0 ? mutated(pool[rng.below(pool.length)], rng, pool, depth + 1) : 0;
  if (changed.length === 0) return [fresh];
  const at = place % changed.length;
  switch (rng.below(9)) {
    case 0:
      changed.splice(place, 0, fresh);
      break;
    case 1:
      changed.splice(at, 1);
      break;
    case 2:
      changed.reverse();
      break;
    case 3:
      changed.splice(place, 0, changed[at]);
      break;
    case 4:
      return [];
    case 5:
      if (changed.length > 1) [changed[at], changed[(at + 1) % changed.length]] = [changed[(at + 1) % changed.length], changed[at]];
      break;
    case 6:
      changed.push(changed.shift());
      break;
    case 7:
      return [...changed, ...changed];
    default:
      changed[at] = mutated(changed[at], rng, pool, depth + 1);
  }
  return changed;
}
