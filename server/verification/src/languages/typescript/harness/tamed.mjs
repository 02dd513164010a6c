/**
 * The language's own methods as they stay. What changes one and puts it back before anyone looks is seen by nobody,
 * so the change itself is refused.
 *
 * A frozen prototype refuses more: an object below it cannot be given a field of the same name. Where programs do that
 * (`counts["constructor"] = 1`, `this.name = "Mine"`), the field becomes a pair that gives what was there, and that
 * gives an object below it a field of its own.
 */
const { defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
const { freeze } = Object;
const values = new WeakMap();
const { get, set } = WeakMap.prototype;
const { apply } = Reflect;

/** Makes pairs in the realm that evaluates it, from what that realm has at the time. */
export const PAIRS = `((define, Refused) => (holder, key, value) => ({
  get() { "use strict"; return value; },
  set(given) {
    "use strict";
    const isObject = (typeof this === "object" && this !== null) || typeof this === "function";
    if (!isObject || this === holder || !define(this, key, { value: given, writable: true, enumerable: true, configurable: true })) {
      throw new Refused("Cannot assign to read only property '" + String(key) + "' of a built-in");
    }
  },
}))(Reflect.defineProperty, TypeError)`;

/** What a field holds, a tamed one too, without running anything of a candidate's. */
export function held(own) {
  return own?.get === undefined ? own?.value : apply(get, values, [own.get]);
}

/** Freezes an object and the functions that it holds. */
export function freezeAll(holder) {
  freeze(holder);
  for (const key of ownKeys(holder)) {
    const value = getOwnPropertyDescriptor(holder, key).value;
    if (typeof value === "function" && key !== "constructor") freeze(value);
  }
}

/** Freezes a prototype below which objects have fields of the same names; with `isOpen`, others may still be added to it. */
export function tame(holder, pair, isOpen = false) {
  for (const key of ownKeys(holder)) {
    const own = getOwnPropertyDescriptor(holder, key);
    if (own.get !== undefined || own.set !== undefined || !own.writable || !own.configurable) continue;
    if (typeof key === "symbol") {
      defineProperty(holder, key, { ...own, writable: false, configurable: false });
      continue;
    }
    const made = pair(holder, key, own.value);
    apply(set, values, [made.get, own.value]);
    defineProperty(holder, key, { ...made, enumerable: own.enumerable, configurable: false });
  }
  if (!isOpen) freezeAll(holder);
}

/** Makes the methods that an object has what they are for good; others may be added. */
export function lock(holder, spared = []) {
  for (const key of ownKeys(holder)) {
    const own = getOwnPropertyDescriptor(holder, key);
    if (typeof own.value !== "function" || !own.configurable || key === "constructor" || spared.includes(key)) continue;
    defineProperty(holder, key, { value: own.value, writable: false, configurable: false });
  }
}
