/**
 * For a process in which a candidate runs beside what judges it, the project's tests: what both are made of stays what it
 * is. Left alone is what tests put something else in the place of: clocks, chance, promises, and all names.
 */
import assert from "node:assert";

import { lock, PAIRS, tame } from "./tamed.mjs";

const pair = (0, eval)(PAIRS);
const iterators = [[].values(), new Map().entries(), new Set().values(), "".matchAll(/a/g), ""[Symbol.iterator](), (function* () {})()];

for (const one of [assert, assert.strict]) Object.freeze(one);
for (const word of [Object, Reflect, JSON, Array, String, Number, Boolean, BigInt, Symbol, Map, Set]) lock(word);
lock(Math, ["random"]);
for (const one of iterators) {
  const above = Object.getPrototypeOf(one);
  lock(above);
  lock(Object.getPrototypeOf(above));
}
for (const { prototype } of [Array, String, Number, Boolean, BigInt, Symbol, Date, Map, Set, WeakMap, WeakSet, RegExp]) tame(prototype, pair, true);
for (const { prototype } of [Object, Function, Error, TypeError, RangeError, SyntaxError, ReferenceError]) tame(prototype, pair, true);
