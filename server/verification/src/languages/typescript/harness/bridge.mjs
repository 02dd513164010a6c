/**
 * What Node makes and throws, as the candidate's realm has it: `error instanceof TypeError` is true of what `new URL("")`
 * throws, and `bytes instanceof Uint8Array` of what a `TextEncoder` gives. Node's modules are of the worker's realm, so their
 * functions are called by others that put the prototypes of the candidate's realm in the place of the worker's own.
 *
 * Nothing of Node is changed: classes whose methods give or throw such values are there a second time, one for each
 * realm. What has none of the language's classes above it, and is none of `CLASSES`, is handed over as it is.
 */
import { types } from "node:util";
import vm from "node:vm";

const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys, setPrototypeOf } = Reflect;
const { create, freeze } = Object;
const { isArray } = Array;
const { then } = Promise.prototype;
const { forEach: mapForEach } = Map.prototype;
const { forEach: setForEach } = Set.prototype;
const textOf = Function.prototype.toString;
const bufferOf = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), "buffer").get;

/** Evaluated in both realms: what one has in the place of the other's. */
const WORDS = `((made) => [
  Object, Function, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError,
  Array, String, Number, Boolean, BigInt, Symbol, Date, Map, Set, WeakMap, WeakSet, WeakRef, RegExp, Promise, ArrayBuffer, SharedArrayBuffer, DataView, Iterator,
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array,
  Object.getPrototypeOf(Uint8Array),
].flatMap((word) => [word, word.prototype]).concat(made.map((one) => Object.getPrototypeOf(one))))([
  function* () {}, async function () {}, async function* () {}, (function* () {}).prototype, (async function* () {}).prototype,
  [].values(), new Map().entries(), new Set().values(), "".matchAll(/a/g), ""[Symbol.iterator](), [].values().map((x) => x),
])`;
/** Classes of Node's whose methods give and throw what is of the language. */
const CLASSES = ["URL", "URLSearchParams", "TextEncoder", "TextDecoder", "Hash", "Hmac", "StringDecoder"];
const OWN = ["length", "name", "prototype", "arguments", "caller"];

const isObject = (value) => typeof value === "object" && value !== null && !types.isProxy(value);

export class Bridge {
  /** `pending` makes a promise of the realm, with its two functions. */
  constructor(context, pending) {
    const here = vm.runInThisContext(WORDS);
    const there = vm.runInContext(WORDS, context);
    /** What stands for what of the worker's. */
    this.lands = new Map(here.map((one, i) => [one, there[i]]));
    this.pending = pending;
    this.calling = there[3];
    this.plain = there[1];
    /** Prototypes that were made here. */
    this.made = new Set();
    this.known = new Map();
  }

  /** A value of Node's as the candidate sees it. */
  given(value) {
    if (typeof value === "function") return this.callable(value);
    if (!isObject(value)) return value;
    if (types.isPromise(value) && getPrototypeOf(value) === Promise.prototype) return this.promised(value);
    this.adopt(value);
    return value;
  }

  /** A promise of the realm for the same. */
  promised(promise) {
    const { promise: given, resolve, reject } = this.pending();
    apply(then, promise, [(value) => resolve(this.given(value)), (error) => reject(this.given(error))]);
    return given;
  }

  /** Makes what is of the worker's classes, and what it holds, of the realm's. */
  adopt(value) {
    const open = [value];
    const seen = new Set();
    while (open.length > 0) {
      const at = open.pop();
      if (!isObject(at) || seen.has(at)) continue;
      const above = getPrototypeOf(at);
      const own = above === null ? null : this.standing(above);
      if (own === undefined) continue;
      seen.add(at);
      inside(at, (one) => typeof one === "object" && one !== null && open.push(one));
      if (own !== null) setPrototypeOf(at, own);
    }
  }

  /** The prototype that stands for one of the worker's, if there is one. */
  standing(prototype) {
    if (this.lands.has(prototype)) return this.lands.get(prototype);
    if (types.isProxy(prototype)) return undefined;
    const own = getOwnPropertyDescriptor(prototype, "constructor");
    const maker = own?.value ?? own?.get;
    if (typeof maker !== "function" || !this.isOfNode(maker)) return undefined;
    if (getOwnPropertyDescriptor(maker, "prototype")?.value === prototype) {
      if (this.isDoubled(maker)) this.callable(maker);
    } else if (this.isBelowLanguage(prototype)) {
      // Errors of Node's have prototypes of their own between them and the language's.
      freeze(this.double(prototype, []));
    }
    return this.lands.get(prototype);
  }

  /** Whether a function is of the worker's realm. */
  isOfNode(made) {
    if (types.isProxy(made)) return false;
    for (let at = getPrototypeOf(made), depth = 0; at !== null && depth < 20; at = getPrototypeOf(at), depth += 1) {
      if (types.isProxy(at)) return false;
      if (this.lands.has(at)) return true;
    }
    return false;
  }

  /** Whether a class stands a second time in the realm: one of those named, and those below a class of the language. */
  isDoubled(made) {
    if (CLASSES.includes(getOwnPropertyDescriptor(made, "name")?.value)) return true;
    return this.isBelowLanguage(made.prototype);
  }

  /** Whether a prototype has one of the language's above it, an object's aside. */
  isBelowLanguage(prototype) {
    for (let at = prototype; isObject(at); at = getPrototypeOf(at)) {
      if (this.lands.has(at)) return at !== Object.prototype;
    }
    return false;
  }

  /** A function or class of Node's, or what stands for it. */
  callable(made) {
    if (this.known.has(made)) return this.known.get(made);
    if (this.lands.has(made)) return this.lands.get(made);
    if (!this.isOfNode(made)) return made;
    const isClass = isMaker(made);
    if (isClass && !this.isDoubled(made)) return made;
    const other = this.caller(made);
    this.known.set(made, other);
    setPrototypeOf(other, this.lands.get(getPrototypeOf(made)) ?? this.calling);
    for (const name of ["name", "length"]) defineProperty(other, name, { value: made[name], configurable: true });
    this.fill(other, made, OWN);
    if (isClass) defineProperty(other, "prototype", { value: this.prototypeOf(made, other), writable: false });
    // It asks for a class of the worker's.
    if (made === Buffer) defineProperty(other, "isBuffer", { value: (value) => isObject(value) && isBelow(value, other.prototype) });
    else if (isObject(made.prototype)) defineProperty(other, "prototype", { value: made.prototype });
    freeze(other);
    return other;
  }

  /** A function that calls another and gives what that gives. */
  caller(made) {
    const bridge = this;
    const other = function (...args) {
      try {
        if (new.target === undefined) return bridge.given(apply(made, this, args));
        return bridge.given(construct(made, args, new.target === other ? made : new.target));
      } catch (error) {
        throw bridge.given(error);
      }
    };
    return other;
  }

  /** What stands for the prototype of a class. */
  prototypeOf(made, other) {
    const { prototype } = made;
    if (this.lands.has(prototype)) return this.lands.get(prototype);
    const own = this.double(prototype, ["constructor"]);
    defineProperty(own, "constructor", { value: other, writable: true, configurable: true });
    freeze(own);
    return own;
  }

  /** An object that stands for a prototype. */
  double(prototype, left) {
    const above = getPrototypeOf(prototype);
    const own = create(above === null ? null : (this.standing(above) ?? above));
    this.lands.set(prototype, own);
    this.made.add(own);
    this.fill(own, prototype, left);
    return own;
  }

  /** A module of Node's, or an object in one, with functions that give the realm's values. */
  space(holder) {
    if (typeof holder === "function") return this.callable(holder);
    if (!isObject(holder) || ![Object.prototype, null].includes(getPrototypeOf(holder))) return holder;
    if (this.known.has(holder)) return this.known.get(holder);
    const made = create(this.plain);
    this.known.set(holder, made);
    const see = (value) => this.space(value);
    this.fill(made, holder, [], see, see);
    return made;
  }

  /** Gives an object the fields of one of Node's: those that stand there as `see` has them, those that are computed as `got` has them. */
  fill(made, holder, left, see = (value) => (typeof value === "function" ? this.callable(value) : value), got = (value) => this.given(value)) {
    for (const key of ownKeys(holder)) {
      if (left.includes(key)) continue;
      const own = getOwnPropertyDescriptor(holder, key);
      const isPair = own.get !== undefined || own.set !== undefined;
      defineProperty(made, key, { ...(isPair ? this.pair(own, holder, made, got) : { ...own, value: see(own.value) }), configurable: true });
    }
  }

  /** A field that is computed; one that belongs to the holder alone is computed by it. */
  pair(own, holder, made, got) {
    const bridge = this;
    const of = (object) => (object === made ? holder : object);
    const get = function () {
      try {
        return got(apply(own.get, of(this), []));
      } catch (error) {
        throw bridge.given(error);
      }
    };
    const set = function (value) {
      try {
        apply(own.set, of(this), [value]);
      } catch (error) {
        throw bridge.given(error);
      }
    };
    return { get: own.get && freeze(get), set: own.set && freeze(set), enumerable: own.enumerable };
  }
}

function isBelow(value, prototype) {
  for (let at = getPrototypeOf(value), depth = 0; isObject(at) && depth < 20; at = getPrototypeOf(at), depth += 1) {
    if (at === prototype) return true;
  }
  return false;
}

/** Whether something is made by `new` and has methods. */
function isMaker(made) {
  const prototype = getOwnPropertyDescriptor(made, "prototype")?.value;
  if (!isObject(prototype)) return false;
  return ownKeys(prototype).some((key) => key !== "constructor") || /^class\b/.test(apply(textOf, made, []));
}

/** What an object of the language's holds. */
function inside(value, see) {
  if (types.isTypedArray(value)) {
    see(apply(bufferOf, value, []));
    return;
  }
  if (types.isMap(value)) {
    apply(mapForEach, value, [(item, key) => (see(key), see(item))]);
    return;
  }
  if (types.isSet(value)) {
    apply(setForEach, value, [see]);
    return;
  }
  if (isArray(value)) {
    for (let i = 0; i < value.length; i += 1) see(value[i]);
    return;
  }
  for (const key of ownKeys(value)) {
    // Where an error was made is written down when it is asked for.
    if (key !== "stack") see(getOwnPropertyDescriptor(value, key)?.value);
  }
}
