/** Values that are used up by whoever looks at them: iterators of generators and collections. */
import { types } from "node:util";

import { className, ITEMS } from "./values.mjs";

const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Reflect;

/** What is read of an iterator, in small items: one that has not come to its end then is taken for one that has none. */
export const MOST = 100_000;
const SMALL = 1n << 64n;
const MORE = "... and so on";

/** Whether looking at a value uses it up. */
export function isLazy(value) {
  if (typeof value !== "object" || value === null || types.isProxy(value)) return false;
  return types.isGeneratorObject(value) || types.isMapIterator(value) || types.isSetIterator(value) || /Iterator$|^Generator$/.test(className(value)) || isOpenIterator(value);
}

function isOpenIterator(value) {
  for (let at = value, depth = 0; at !== null && depth < 6; at = getPrototypeOf(at), depth += 1) {
    if (types.isProxy(at)) return false;
    const next = getOwnPropertyDescriptor(at, "next");
    if (next !== undefined && typeof next.value === "function") {
      return [Symbol.iterator, Symbol.asyncIterator].some((key) => inherited(value, key));
    }
  }
  return false;
}

function inherited(value, key) {
  for (let at = value, depth = 0; at !== null && depth < 6; at = getPrototypeOf(at), depth += 1) {
    if (getOwnPropertyDescriptor(at, key) !== undefined) return true;
  }
  return false;
}

/**
 * The items of an iterator, put into an array. Of one that does not end there are the first, and a last one that says so;
 * with `most`, which a clause is asked with, the first alone.
 */
export async function drained(items, iterator, settled, most) {
  let left = most ?? MOST;
  for (;;) {
    let step = iterator.next();
    if (types.isPromise(step)) step = await settled(step);
    if (step.done) return { items, wasCut: false };
    if (left <= 0) break;
    const { value } = step;
    left -= weight(value);
    put(items, items.length, value);
  }
  if (items.length > ITEMS) items.length = ITEMS;
  if (most === undefined) put(items, items.length, MORE);
  return { items, wasCut: true };
}

/** How many small items one takes the place of. */
function weight(item) {
  switch (typeof item) {
    case "string":
      return 1 + item.length / 100;
    case "bigint":
      return item < SMALL && item > -SMALL ? 1 : 20;
    case "object":
      return item === null ? 1 : 5;
    default:
      return 1;
  }
}

function put(items, at, value) {
  defineProperty(items, at, { value, writable: true, enumerable: true, configurable: true });
}

/** How far the next iterator is read after one that did not end. */
export const nearer = (most) => Math.max(10 * ITEMS, most / 2);
