/**
 * Copies of arguments: a clause speaks of what they were before the call. What an object holds behind `#`, in slots of the
 * machine or by being itself cannot be copied; whoever asks is told.
 */
import { types } from "node:util";

import { isLazy } from "./lazy.mjs";
import { className, mapEntries, setItems } from "./values.mjs";

const { apply, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys, setPrototypeOf } = Reflect;
const { slice: sliced } = getPrototypeOf(Uint8Array.prototype);
const textOf = Function.prototype.toString;
const PRIVATE = /#[A-Za-z_$]/;

/** A copy made of the realm's own objects; `lost` collects the objects that lose something by it. */
export function copied(make, value, lost = [], seen = new Map()) {
  if (typeof value !== "object" || value === null || types.isProxy(value)) return value;
  if (seen.has(value)) return seen.get(value);
  let other;
  if (Array.isArray(value)) other = make.array();
  else if (types.isMap(value)) other = make.map();
  else if (types.isSet(value)) other = make.set();
  else if (types.isDate(value)) other = make.date(apply(Date.prototype.getTime, value, []));
  else if (types.isTypedArray(value)) return apply(sliced, value, []);
  else if (types.isRegExp(value)) return value;
  else if (types.isPromise(value) || isLazy(value) || isOpaque(value)) {
    lost.push(value);
    return value;
  } else other = make.object();
  if (types.isNativeError(value) || types.isBoxedPrimitive(value) || isPrivate(value)) lost.push(value);
  seen.set(value, other);
  if (getPrototypeOf(other) !== getPrototypeOf(value)) setPrototypeOf(other, getPrototypeOf(value));
  const inner = (one) => copied(make, one, lost, seen);
  if (types.isMap(value)) for (const [k, v] of mapEntries(value)) apply(Map.prototype.set, other, [inner(k), inner(v)]);
  if (types.isSet(value)) for (const v of setItems(value)) apply(Set.prototype.add, other, [inner(v)]);
  for (const key of ownKeys(value)) {
    const own = getOwnPropertyDescriptor(value, key);
    defineProperty(other, key, own.get === undefined && own.set === undefined ? { ...own, value: inner(own.value) } : own);
  }
  return other;
}

/** Whether a value is what its copy says that it was, down to what no loop over it would show. */
export function isStill(value, copy, seen = new Map()) {
  if (value === copy || (value !== value && copy !== copy)) return true;
  if (typeof value !== "object" || value === null || types.isProxy(value) || typeof copy !== "object" || copy === null) return false;
  if (seen.has(value)) return seen.get(value) === copy;
  seen.set(value, copy);
  if (types.isTypedArray(value)) {
    if (value.length !== copy.length) return false;
    for (let i = 0; i < value.length; i += 1) if (!Object.is(value[i], copy[i])) return false;
    return true;
  }
  const keys = [ownKeys(value), ownKeys(copy)];
  if (getPrototypeOf(value) !== getPrototypeOf(copy) || keys[0].length !== keys[1].length) return false;
  const inner = (one, other) => isStill(one, other, seen);
  if (types.isDate(value) && !inner(apply(Date.prototype.getTime, value, []), apply(Date.prototype.getTime, copy, []))) return false;
  if (types.isMap(value) && !inner(mapEntries(value).flat(), mapEntries(copy).flat())) return false;
  if (types.isSet(value) && !inner(setItems(value), setItems(copy))) return false;
  return keys[0].every((key, i) => {
    if (key !== keys[1][i]) return false;
    const [one, other] = [value, copy].map((object) => getOwnPropertyDescriptor(object, key));
    if (one.get !== other.get || one.set !== other.set || one.enumerable !== other.enumerable) return false;
    return inner(one.value, other.value);
  });
}

/** Whether an object keeps what it holds where no copy of its fields would have it. */
function isOpaque(value) {
  return ownKeys(value).length === 0 && !["", "Object"].includes(className(value));
}

/** Whether a class of the file, or one above it, says that its objects hold something of their own. */
function isPrivate(value) {
  for (let at = getPrototypeOf(value), depth = 0; at !== null && depth < 20; at = getPrototypeOf(at), depth += 1) {
    if (types.isProxy(at)) return false;
    const maker = getOwnPropertyDescriptor(at, "constructor")?.value;
    if (typeof maker === "function" && !types.isProxy(maker) && PRIVATE.test(apply(textOf, maker, []))) return true;
  }
  return false;
}
