/**
 * Functions that are wrong on purpose, made of the one under test. A claim that each of them meets as well shows
 * nothing of the right one: `f(2) === f(2)`, `result === result`. Each is a function of its arguments and gives
 * values of the kind that the right one gives, so that no claim about types alone is taken for evidence, and one
 * that compares two calls (`f(a, b) === f(b, a)`) is.
 */
import { types } from "node:util";

import { isLazy } from "./lazy.mjs";
import { ITEMS, show } from "./values.mjs";

const { apply, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
const { then } = Promise.prototype;
/** The ways to be wrong: to give something else (chosen by the arguments), to leave arguments as they are, to do nothing. */
const COPIES = 5;
const NOTHING = 6;
const VALUELESS = /\b(void|undefined|null|any|unknown)\b/;

/** What a wrong function gives in the place of `call(holder, args)`; `subject.way` says which. */
export function called(subject, call, holder, args) {
  const { way } = subject;
  const gives = subject.request.returns;
  if (way === NOTHING && (gives === "" || VALUELESS.test(gives))) return undefined;
  const own = way >= COPIES ? [subject.copy(holder), args.map((a) => subject.copy(a))] : [holder, args];
  const given = [...args, ...(typeof holder === "object" ? [holder] : [])];
  const before = given.map(shown);
  const seed = hash(`${way} ${before.join("\n")}`);
  const otherwise = () => (gives === "void" ? undefined : other(subject));
  const altering = (result) => {
    if (way >= COPIES) return result;
    given.forEach((value, i) => shown(value) === before[i] || disturb(subject, value, seed));
    if (result === undefined || result === null) return gives === "void" ? result : otherwise();
    if (way > 1 || isLazy(result)) return altered(subject, result, seed, 0);
    // The same for the same arguments, whatever the right one gives the second time.
    if (!subject.given.has(seed)) subject.given.set(seed, altered(subject, result, seed - (seed % 12), 0));
    return subject.given.get(seed);
  };
  subject.way = 0; // the function itself may call itself
  try {
    const result = call(...own);
    return types.isPromise(result) ? apply(then, result, [altering, otherwise]) : altering(result);
  } catch {
    return otherwise();
  } finally {
    subject.way = way;
  }
}

/** What a wrong function makes in the place of `make(args)`: an object of other arguments, or one with another field. */
export function constructed(subject, make, args) {
  const { way } = subject;
  const seed = hash(`${way} ${args.map(shown).join("\n")}`);
  subject.way = 0;
  try {
    const right = make(args.map((a) => subject.copy(a)));
    const made = madeOf(subject, make, args, seed) ?? make(args);
    if (shown(made) === shown(right)) change(subject, made, seed, 0);
    return shown(made) === shown(right) ? other(subject) : made;
  } catch {
    return other(subject);
  } finally {
    subject.way = way;
  }
}

/** An object of other arguments; `undefined` where those are refused. */
function madeOf(subject, make, args, seed) {
  try {
    return args.length === 0 ? undefined : make(args.map((a, i) => altered(subject, subject.copy(a), seed + i, 0)));
  } catch {
    return undefined;
  }
}

const shown = (value) => (isLazy(value) ? "" : show(value));

function hash(text) {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return sum;
}

/** What equals nothing that a claim knows: for what no other value of its kind can be made. */
function other(subject) {
  const made = subject.realm.make.object();
  made.other = "a value that the function does not give";
  return made;
}

function oneOf(subject, seed, value, others) {
  const left = others.filter((o) => show(o) !== show(value));
  return left.length === 0 ? other(subject) : left[seed % left.length];
}

/** Another value of the same kind, which one `seed` says. */
export function altered(subject, value, seed, depth) {
  try {
    switch (typeof value) {
      case "boolean":
        return seed % 12 === 0 ? !value : seed % 2 === 1;
      case "number":
        return oneOf(subject, seed, value, Number.isFinite(value) ? [value + 1, -value - 1, value * 2 + 1, value - 1, 0, value + (seed % 97)] : [0, 1]);
      case "bigint":
        return oneOf(subject, seed, value, [value + 1n, -value - 1n, value * 2n + 1n, value - 1n, 0n]);
      case "string":
        return oneOf(subject, seed, value, [value + (value.slice(0, 1) || "x"), value.slice(0, -1), [...value].reverse().join(""), value.toUpperCase(), "", value + (seed % 97)]);
      case "function":
        return (...args) => altered(subject, value(...args), seed, depth + 1);
      case "object":
        return depth > 4 || value === null ? other(subject) : alteredObject(subject, value, seed, depth);
      default:
        return other(subject);
    }
  } catch {
    return other(subject);
  }
}

function alteredObject(subject, value, seed, depth) {
  if (isLazy(value)) return alteredItems(subject, value, seed, depth);
  const made = subject.copy(value);
  if (made === value) return other(subject);
  change(subject, made, seed, depth);
  return show(made) === show(value) ? other(subject) : made;
}

/** An iterator over other items. */
function alteredItems(subject, iterator, seed, depth) {
  const read = (steps) => {
    const items = subject.realm.make.array();
    steps.forEach((item, i) => defineProperty(items, i, { value: item, writable: true, enumerable: true, configurable: true }));
    change(subject, items, seed, depth);
    return items;
  };
  if (Symbol.asyncIterator in iterator) {
    return (async function* later() {
      const steps = [];
      for await (const item of iterator) if (steps.push(item) === ITEMS) break;
      yield* read(steps);
    })();
  }
  const steps = [];
  for (let step = iterator.next(); !step.done && steps.length < ITEMS; step = iterator.next()) steps.push(step.value);
  return apply(Array.prototype.values, read(steps), []);
}

/** Makes another of an array, a collection or an object, in place. */
function change(subject, made, seed, depth) {
  const next = (value) => altered(subject, value, seed, depth + 1);
  if (Array.isArray(made)) return changeArray(made, seed, next);
  if (types.isMap(made) || types.isSet(made)) return changeCollection(made, seed, next);
  if (types.isDate(made)) return apply(Date.prototype.setTime, made, [apply(Date.prototype.getTime, made, []) + 1000 + (seed % 97)]);
  if (types.isTypedArray(made)) {
    if (made.length > 0) made[seed % made.length] = next(made[seed % made.length]);
    return undefined;
  }
  const keys = ownKeys(made).filter((key) => {
    const own = getOwnPropertyDescriptor(made, key);
    return own.writable && own.value !== undefined && own.value !== null;
  });
  if (keys.length > 0) made[keys[seed % keys.length]] = next(made[keys[seed % keys.length]]);
  return undefined;
}

function changeArray(made, seed, next) {
  const put = (at, value) => defineProperty(made, at, { value, writable: true, enumerable: true, configurable: true });
  const { length } = made;
  if (length === 0) put(0, 0);
  else if (seed % 5 === 0) made.length = length - 1;
  else if (seed % 5 === 1) put(length, made[0]);
  else if (seed % 5 === 2 && length > 1 && show(made[0]) !== show(made[length - 1])) apply(Array.prototype.reverse, made, []);
  else if (seed % 5 === 3) made.length = 0;
  else put(seed % length, next(made[seed % length]));
}

function changeCollection(made, seed, next) {
  const holder = types.isMap(made) ? Map.prototype : Set.prototype;
  const keys = [...apply(holder.keys, made, [])];
  if (keys.length === 0) apply(holder.set ?? holder.add, made, [0, 0]);
  else if (seed % 3 === 0) apply(holder.delete, made, [keys[seed % keys.length]]);
  else if (holder.set === undefined) apply(holder.add, made, [next(keys[seed % keys.length])]);
  else apply(holder.set, made, [keys[seed % keys.length], next(apply(holder.get, made, [keys[seed % keys.length]]))]);
}

/** Makes another of what the function has changed. */
function disturb(subject, value, seed) {
  try {
    change(subject, value, seed, 0);
  } catch {
    // What is frozen was not changed by it.
  }
}
