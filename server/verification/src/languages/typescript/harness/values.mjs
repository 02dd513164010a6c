/**
 * Values as text: what two candidates' results are compared by. The text depends on the value alone,
 * whichever realm it comes from and whatever it claims to be: classes are told by internal slots and
 * prototypes, never by methods of the value.
 *
 * Keys of objects, Maps and Sets are sorted: their order is no part of deep equality. `-0` is `0`.
 */
import { createHash, Hash } from "node:crypto";
import { types } from "node:util";

import { held } from "./tamed.mjs";

// A candidate that comes by this object could blind every look at its values.
Object.freeze(types);

/** Items of an iterator that does not end. */
export const ITEMS = 100;
const DEPTH = 60;
const NODES = 300_000;
const TEXT = 3_000;

const { apply, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const { isArray } = Array;
const { stringify } = JSON;
const typedLength = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), "length").get;
const { getTime, toISOString } = Date.prototype;
const { forEach: mapForEach } = Map.prototype;
const { forEach: setForEach } = Set.prototype;
const flagsOf = getOwnPropertyDescriptor(RegExp.prototype, "flags").get;
const sourceOf = getOwnPropertyDescriptor(RegExp.prototype, "source").get;
const descriptionOf = getOwnPropertyDescriptor(Symbol.prototype, "description").get;
const hrefOf = getOwnPropertyDescriptor(URL.prototype, "href").get;
const { toString: queryOf } = URLSearchParams.prototype;
const [bufferOf, offsetOf, lengthOf] = ["buffer", "byteOffset", "byteLength"].map((name) => getOwnPropertyDescriptor(DataView.prototype, name).get);
/** What errors hold and do not list. */
const OF_ERRORS = ["cause", "errors"];
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
/** Longest text that says by itself what two values are compared by. */
const EXACT = 1 << 20;
const hashOf = createHash;
const { update, digest } = Hash.prototype;

/**
 * Prototypes of this realm by the names of their classes: what Node's modules give is made here, and where the
 * language is frozen a prototype's `constructor` is not a plain field.
 */
const own = new Map();
/** Node's classes that are loaded when they are first named, which takes as long as Node's start; they say themselves what they are. */
const LATE = /Stream|^(?:FormData|Headers|Request|Response|WebSocket|EventSource|Crypto|CryptoKey|SubtleCrypto|BroadcastChannel|Message.+|CloseEvent)$/;
for (const name of ownKeys(globalThis)) {
  if (typeof name === "string" && LATE.test(name)) continue;
  const made = getOwnPropertyDescriptor(globalThis, name).value;
  if (typeof made === "function" && typeof made.prototype === "object") own.set(made.prototype, name);
}
own.set(getPrototypeOf(Uint8Array.prototype), "TypedArray");

/** Whether a prototype is one of the worker's own, which no candidate can change. */
export const isOwn = (prototype) => own.has(prototype) && Object.isFrozen(prototype);

/**
 * One rendering. `mode` says what for:
 * - `"exact"`: the fingerprint, and what people read; fractions are rounded to 12 digits;
 * - `"equal"`: two values have one text exactly when they are deeply equal; what only identity can
 *   tell (functions, symbols) gets a number that stays with it;
 * - `"source"`: every digit, and a text that can be evaluated again where there is one.
 */
class Text {
  constructor(mode) {
    this.mode = mode;
    this.nodes = 0;
    this.above = [];
    this.opaque = false;
    /** Whether some object shows nothing of what it holds. */
    this.hidden = false;
  }

  of(value) {
    this.nodes += 1;
    switch (typeof value) {
      case "number":
        return this.number(value);
      case "string":
        return stringify(value);
      case "bigint":
        return `${value}n`;
      case "boolean":
      case "undefined":
        return String(value);
      case "symbol":
        this.opaque = true;
        return `Symbol(${apply(descriptionOf, value, []) ?? ""})${this.mode === "equal" ? identity(value) : ""}`;
      case "function":
        this.opaque = true;
        return this.mode === "equal" ? `[Function ${identity(value)}]` : "[Function]";
      default:
        return value === null ? "null" : this.object(value);
    }
  }

  number(value) {
    if (value === 0) return this.mode === "source" && Object.is(value, -0) ? "-0" : "0";
    if (this.mode !== "exact" || Number.isInteger(value) || !Number.isFinite(value)) return String(value);
    return String(Number(value.toPrecision(12)));
  }

  object(value) {
    const at = this.above.lastIndexOf(value);
    if (at >= 0) {
      this.opaque = true;
      return `[Circular ${this.above.length - at}]`;
    }
    if (this.above.length > DEPTH || this.nodes > NODES) {
      this.opaque = true;
      return "...";
    }
    if (types.isProxy(value)) {
      this.opaque = true;
      return "[Proxy]";
    }
    this.above.push(value);
    const text = this.inside(value);
    this.above.pop();
    return text;
  }

  inside(value) {
    if (isArray(value)) return this.array(value);
    if (types.isMap(value)) return this.collection(value, "Map", mapEntries(value).map(([k, v]) => `[${this.of(k)}, ${this.of(v)}]`));
    if (types.isSet(value)) return this.collection(value, "Set", setItems(value).map((v) => this.of(v)));
    if (types.isDate(value)) {
      const time = apply(getTime, value, []);
      return Number.isNaN(time) ? "new Date(NaN)" : `new Date(${stringify(apply(toISOString, value, []))})`;
    }
    if (types.isRegExp(value)) return `/${apply(sourceOf, value, [])}/${apply(flagsOf, value, [])}`;
    if (types.isTypedArray(value)) return this.typed(value);
    if (types.isDataView(value)) return this.view(value);
    if (types.isAnyArrayBuffer(value)) return `new Uint8Array([${Array.from(new Uint8Array(value)).join(", ")}]).buffer`;
    if (types.isNativeError(value) || inherits(value, "Error")) return this.error(value);
    if (types.isBoxedPrimitive(value)) return `Object(${this.of(unboxed(value))})`;
    if (types.isPromise(value) || types.isWeakMap(value) || types.isWeakSet(value)) {
      this.opaque = true;
      return `[${className(value)}]${this.mode === "equal" ? identity(value) : ""}`;
    }
    const name = className(value);
    const known = name === "URL" ? asked(hrefOf, value) : name === "URLSearchParams" ? asked(queryOf, value) : undefined;
    if (known !== undefined) {
      this.opaque = true;
      return `new ${name}(${stringify(known)})`;
    }
    const keys = ownKeys(value);
    const body = this.fields(value, keys);
    if (name === "Object" || name === "") return body;
    this.opaque = true;
    if (keys.length > 0) return `${name} ${body}`;
    // What it holds is behind `#` or inside of the machine, where nobody sees it.
    this.hidden = true;
    return `${name} ${body}${this.mode === "equal" ? identity(value) : ""}`;
  }

  view(value) {
    this.opaque = true;
    const bytes = new Uint8Array(apply(bufferOf, value, []), apply(offsetOf, value, []), apply(lengthOf, value, []));
    return `new DataView(new Uint8Array([${Array.from(bytes).join(", ")}]).buffer)`;
  }

  array(value) {
    const length = getOwnPropertyDescriptor(value, "length").value;
    const parts = [];
    for (let i = 0; i < length; i += 1) {
      if (this.nodes > NODES) {
        this.opaque = true;
        parts.push("...");
        break;
      }
      const own = getOwnPropertyDescriptor(value, i);
      if (own === undefined) {
        this.nodes += 1;
        parts.push("");
      } else {
        parts.push(this.property(value, own));
      }
    }
    // A hole at the end needs a comma of its own.
    const tail = parts.length > 0 && parts[parts.length - 1] === "" ? "," : "";
    const more = ownKeys(value).filter((key) => key !== "length" && !isIndex(key));
    const extra = more.length > 0 ? ` ${this.fields(value, more)}` : "";
    const name = className(value);
    if (extra !== "" || name !== "Array") this.opaque = true;
    return `${name === "Array" ? "" : `${name} `}[${parts.join(", ")}${tail}]${extra}`;
  }

  typed(value) {
    const length = apply(typedLength, value, []);
    const parts = [];
    for (let i = 0; i < length && i < NODES; i += 1) parts.push(this.of(value[i]));
    return `new ${className(value)}([${parts.join(", ")}])`;
  }

  collection(value, base, items) {
    const name = className(value);
    if (name !== base) this.opaque = true;
    return items.length === 0 ? `new ${name}()` : `new ${name}([${items.sort().join(", ")}])`;
  }

  error(value) {
    this.opaque = true;
    const message = plainField(value, "message");
    const more = ownKeys(value).filter((key) => key !== "stack" && key !== "message");
    return `${errorName(value)}(${message === "" ? "" : stringify(message)})${more.length > 0 ? ` ${this.fields(value, more, OF_ERRORS)}` : ""}`;
  }

  /** The fields that can be listed, and those of the names that are `told` in any case. */
  fields(value, keys, told = []) {
    const parts = [];
    for (const key of keys) {
      const own = getOwnPropertyDescriptor(value, key);
      if (own === undefined || !(own.enumerable || told.includes(key))) continue;
      parts.push([this.key(key), this.property(value, own)]);
      if (this.nodes > NODES) break;
    }
    parts.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    return parts.length === 0 ? "{}" : `{ ${parts.map(([name, text]) => `${name}: ${text}`).join(", ")} }`;
  }

  key(key) {
    if (typeof key === "symbol") return `[${this.of(key)}]`;
    return IDENTIFIER.test(key) ? key : stringify(key);
  }

  property(owner, own) {
    if (own.get === undefined) return this.of(own.value);
    try {
      return this.of(apply(own.get, owner, []));
    } catch (error) {
      return `<throws ${errorName(error)}>`;
    }
  }
}

/** What a method of Node's says of one of its objects; `undefined` for an object that only has the name. */
function asked(method, value) {
  try {
    return apply(method, value, []);
  } catch {
    return undefined;
  }
}

function isIndex(key) {
  return typeof key === "string" && /^\d+$/.test(key);
}

/** Entries of a Map, whatever its methods say. */
export function mapEntries(map) {
  const found = [];
  apply(mapForEach, map, [(value, key) => found.push([key, value])]);
  return found;
}

/** Items of a Set, whatever its methods say. */
export function setItems(set) {
  const found = [];
  apply(setForEach, set, [(value) => found.push(value)]);
  return found;
}

function unboxed(value) {
  for (const kind of [Number, String, Boolean, BigInt, Symbol]) {
    try {
      return apply(kind.prototype.valueOf, value, []);
    } catch {
      // It is another kind's box.
    }
  }
  return undefined;
}

const known = new WeakMap();
const symbols = new Map();
let numbered = 0;

/** A number that stays with a value for as long as it lives. */
function identity(value) {
  const table = typeof value === "symbol" ? symbols : known;
  if (!table.has(value)) table.set(value, (numbered += 1));
  return table.get(value);
}

/** The name of a value's class by its prototype's own constructor; `""` without a prototype. */
export function className(value) {
  for (let at = getPrototypeOf(value), depth = 0; at !== null && depth < 20; at = getPrototypeOf(at), depth += 1) {
    const name = constructorName(at);
    if (name !== "") return name;
    if (types.isProxy(at)) return "Proxy";
  }
  return "";
}

function constructorName(prototype) {
  if (types.isProxy(prototype)) return "";
  if (own.has(prototype)) return own.get(prototype);
  const maker = held(getOwnPropertyDescriptor(prototype, "constructor"));
  return typeof maker === "function" && !types.isProxy(maker) ? plainField(maker, "name") : "";
}

/** An own text property, without running anything; `""` when there is none. */
function plainField(value, name) {
  const found = held(getOwnPropertyDescriptor(value, name));
  return typeof found === "string" ? found : "";
}

function inherits(value, name) {
  return ancestry(value).includes(name);
}

/** The names of a value's class and of all classes above it. */
function ancestry(value) {
  const found = [];
  for (let at = getPrototypeOf(value), depth = 0; at !== null && depth < 20; at = getPrototypeOf(at), depth += 1) {
    if (types.isProxy(at)) break;
    for (const name of [constructorName(at), plainField(at, "name")]) {
      if (name !== "" && name !== "Object" && !found.includes(name)) found.push(name);
    }
  }
  return found;
}

const OVERFLOW = "Maximum call stack size exceeded";
export const STACK = "StackOverflow";

/** All names that a thrown value answers to, the nearest first. What is no object has its type's name. */
export function errorNames(error) {
  if ((typeof error !== "object" && typeof error !== "function") || error === null || types.isProxy(error)) {
    return [error === null ? "null" : types.isProxy(error) ? "Proxy" : typeof error];
  }
  // V8's own signal, which no spec means when it says RangeError.
  if (types.isNativeError(error) && plainField(error, "message") === OVERFLOW) return [STACK];
  const own = plainField(error, "name");
  const names = [...(own === "" ? [] : [own]), ...ancestry(error)];
  return names.length > 0 ? [...new Set(names)] : ["object"];
}

export function errorName(error) {
  return errorNames(error)[0];
}

/** What a thrown value says, without running any of its code. */
export function errorText(error) {
  if (typeof error === "object" && error !== null && !types.isProxy(error)) return plainField(error, "message").slice(0, 500);
  return typeof error === "function" ? "" : show(error).slice(0, 500);
}

/** The text of a value; long texts are cut and end in a digest of the whole. */
export function show(value, mode = "exact") {
  return bounded(new Text(mode).of(value));
}

export function bounded(text) {
  if (text.length <= TEXT) return text;
  return `${text.slice(0, 200)}... (${text.length} characters, sha256 ${hashed(text).slice(0, 16)})`;
}

function hashed(text) {
  const hash = hashOf("sha256");
  apply(update, hash, [text]);
  return apply(digest, hash, ["hex"]);
}

/** `[text, opaque, hidden]`: opaque values hold what a literal cannot, hidden ones what nobody sees. */
export function equality(value) {
  const text = new Text("equal");
  const shown = text.of(value);
  const whole = shown.length <= EXACT ? shown : `${shown.length} characters, sha256 ${hashed(shown)}`;
  return [text.nodes > NODES ? `${whole}${Math.random()}` : whole, text.opaque, text.hidden];
}

const INCOMPARABLE = ", which cannot be compared by `===`; compare what it holds";
let unseen = false;

/** Why the comparisons since the last question failed, if all that told two values apart is that nobody sees into them. */
export function reason() {
  const said = unseen ? INCOMPARABLE : "";
  unseen = false;
  return said;
}

/** Deep equality, as specs mean `==`. */
export function same(a, b) {
  if (a === b || (a !== a && b !== b)) return true;
  if (typeof a !== typeof b) return false;
  const [[one, , hidden], [other]] = [equality(a), equality(b)];
  if (one !== other && hidden && show(a) === show(b)) unseen = true;
  return one === other;
}
