/**
 * Results that pretend: they decide themselves what an operator, a loop or a built-in method makes of them, so that a
 * claim about them says nothing. What methods a class of the user's file has is the user's business.
 */
import { types } from "node:util";

import { held } from "./tamed.mjs";
import { className, isOwn, mapEntries, setItems } from "./values.mjs";

const { getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;

/** By which an object decides what operators make of it. */
const CONVERSIONS = ["valueOf", "toString", Symbol.toPrimitive];
const DECEIVING = [...CONVERSIONS, "toJSON", Symbol.iterator, Symbol.hasInstance, Symbol.toStringTag, "constructor"];
/** Fields of objects that their prototypes have too: an array's length, an error's texts. */
const FIELDS = ["length", "name", "message"];
const DEEP = 6;
const MANY = 400;

const isObject = (value) => (typeof value === "object" || typeof value === "function") && value !== null;

export class Pretence {
  /** `nodes` are prototypes that stand for those of Node's classes; `evaluate` gives what a name of the file means. */
  constructor(intrinsics, nodes, evaluate) {
    Object.assign(this, { intrinsics, nodes, evaluate });
  }

  /** What of a value, or of a value in it, pretends; `undefined` when nothing does. */
  of(value, depth = 0) {
    if (!isObject(value) || depth > DEEP) return undefined;
    if (types.isProxy(value)) return "Proxy";
    if (typeof value === "function") return this.own(value, CONVERSIONS, "a function");
    const shadow = this.shadow(value);
    if (shadow !== undefined) return shadow;
    if (types.isMap(value)) return this.first(mapEntries(value).flat().slice(0, MANY), depth);
    if (types.isSet(value)) return this.first(setItems(value).slice(0, MANY), depth);
    const own = this.own(value, DECEIVING, "an object");
    if (own !== undefined) return own;
    for (const at of above(value)) {
      if (types.isProxy(at)) return "Proxy";
      if (this.isKnown(at)) continue;
      if (DECEIVING.some((key) => key !== "constructor" && getOwnPropertyDescriptor(at, key) !== undefined)) return className(value) || "an unnamed class";
    }
    const inside = [];
    for (const key of ownKeys(value).slice(0, MANY)) inside.push(getOwnPropertyDescriptor(value, key)?.value);
    return this.first(inside, depth);
  }

  first(items, depth) {
    for (const item of items) {
      const found = this.of(item, depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  own(value, keys, what) {
    for (const key of keys) {
      const own = getOwnPropertyDescriptor(value, key);
      if (own !== undefined && (typeof own.value === "function" || own.get !== undefined)) return `${what} with its own ${String(key)}`;
    }
    return undefined;
  }

  /** An array, a Map or another object of the language with something of its own in the place of a built-in method. */
  shadow(value) {
    const chain = [...above(value)];
    const builtin = chain.filter((at) => this.isBuiltin(at) && getPrototypeOf(at) !== null);
    if (builtin.length === 0) return undefined;
    const isOfFile = (at) => !this.isBuiltin(at) && isMade(at) && this.isKnown(at);
    const holders = isOfFile(chain[0]) ? [] : [value, ...chain.filter((at) => !this.isBuiltin(at) && !isOfFile(at))];
    for (const holder of holders) {
      for (const key of named(holder)) {
        if (!FIELDS.includes(key) && builtin.some((at) => getOwnPropertyDescriptor(at, key) !== undefined)) return `an object with its own ${String(key)}`;
      }
    }
    return undefined;
  }

  isBuiltin(prototype) {
    return this.intrinsics.has(prototype) || this.nodes.has(prototype) || isOwn(prototype);
  }

  /** Whether a prototype belongs to the language, to Node, or to a class that the file has at top level. */
  isKnown(prototype) {
    if (this.isBuiltin(prototype)) return true;
    const maker = held(getOwnPropertyDescriptor(prototype, "constructor"));
    if (typeof maker !== "function") return types.isGeneratorObject(prototype) || ownKeys(prototype).length === 0 || !DECEIVING.some((k) => getOwnPropertyDescriptor(prototype, k) !== undefined);
    if (maker === globalThis[maker.name]) return true;
    try {
      return /^[\w$]+$/.test(maker.name) && this.evaluate(maker.name) === maker;
    } catch {
      return false;
    }
  }
}

/**
 * What an assignment would have put in the place of a built-in method, had the language not been frozen (decision 0009): an
 * error that the code has here alone.
 */
export function refusedShadow(name, text) {
  const [, key, kind] = (name === "TypeError" && /^Cannot assign to read only property '(.+)' of object '\[object (\w+)\]'$/.exec(text)) || [];
  const prototype = kind === undefined || kind === "Object" ? undefined : globalThis[kind]?.prototype;
  return prototype !== undefined && getOwnPropertyDescriptor(prototype, key) !== undefined ? `another ${key} than that of every ${kind}` : undefined;
}

/** The prototypes of a value, the nearest first. */
function* above(value) {
  for (let at = getPrototypeOf(value), steps = 0; at !== null && steps < 20; at = getPrototypeOf(at), steps += 1) {
    yield at;
    if (types.isProxy(at)) return;
  }
}

/** Whether a class made it, or a function: it says which. */
function isMade(prototype) {
  return typeof held(getOwnPropertyDescriptor(prototype, "constructor")) === "function";
}

/** The keys of an object that are no places in a list: they come last. */
function* named(object) {
  const keys = ownKeys(object);
  for (let i = keys.length - 1; i >= 0; i -= 1) {
    if (typeof keys[i] === "string" && /^\d+$/.test(keys[i])) return;
    yield keys[i];
  }
}
