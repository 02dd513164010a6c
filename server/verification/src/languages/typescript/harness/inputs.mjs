/**
 * Inputs for a function, as source text, from its types, its examples and a seed. All candidates of a
 * step must see the same ones: they depend on the signature, the spec and the types of the file, never
 * on the body. The same seed gives the same inputs in the same order, the small ones first.
 */
import { fits, isShown } from "./fits.mjs";
import { Fixed, Rng } from "./kinds.mjs";
import { literal, literalArguments, mutated, source } from "./literals.mjs";
import { kindOf } from "./reader.mjs";
import { equality } from "./values.mjs";

export const SMALL = 40;
export const LARGE = 400;
/** How many numbers and texts of a spec or a body count, and how large numbers of a spec, of a body and of inputs like any others are. */
const MANY = 12;
const SPEC = Number.MAX_SAFE_INTEGER;
const BODY = 2 ** 31;
const NEAR = 1000;
/** Whole numbers up to here are tried in any case. */
const USUAL = 12;

const shorter = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

/** How to make calls of one function: a kind per parameter, receivers, the examples' calls. */
export class Plan {
  constructor(request, fractions = false) {
    const { params, calls, receiver, receivers, accessor } = request.plan;
    this.accessor = accessor;
    this.values = calls.map(literalArguments).filter((c) => c !== undefined);
    this.calls = calls;
    this.reach = { spec: named(request.said.spec, SPEC), body: named(request.own ?? [], BODY) };
    const found = {};
    const how = { ...request.plan, near: { ...near(named(request.said.claims, SPEC)), fractions, found } };
    this.params = params.map((param, place) => {
      const seen = this.values.flatMap((c) => (param.rest ? c.slice(place) : place < c.length ? [c[place]] : []));
      const texts = [...new Set(calls.filter((c) => place < c.length && !param.rest).map((c) => c[place]))].sort(shorter);
      const type = param.rest && param.type.kind === "array" ? param.type.of : param.type;
      const isGuess = (type.kind === "any" || type.kind === "named" || type.kind === "generic") && seen.length === 0 && texts.length > 0;
      const made = isGuess ? undefined : kindOf(type, seen, how);
      const kind = made ?? (texts.length > 0 ? new Fixed(texts) : undefined);
      // Where an example passes something else than the type says, the type was not understood.
      const isTyped = seen.every((value) => fits(type, value));
      const wasSeen = (value) => seen.some((one) => equality(one)[0] === equality(value)[0]);
      const admits = isShown(type) ? wasSeen : (value) => !isTyped || fits(type, value);
      return { ...param, kind, isKnown: made !== undefined && type.kind !== "shown", texts, admits };
    });
    /** Whether numbers that the examples show are whole ones alone. */
    this.isWhole = found.whole === true;
    const built = receiver === null ? [] : (kindOf(receiver, [], how)?.small().slice(0, 6) ?? []);
    this.receivers = receiver === null && receivers.length === 0 ? [""] : [...new Set([...receivers, ...built])].sort(shorter).slice(0, 6);
  }

  /** Whether a caller could pass these values by place, as far as types and examples say. */
  admits(values) {
    const last = this.params.length - 1;
    return values.every((value, place) => {
      const param = this.params[Math.min(place, last)];
      return param === undefined || (value === undefined && param.has_default) || param.admits(value);
    });
  }

  /** Whether every parameter that must be given has values. */
  canGenerate() {
    return this.receivers.length > 0 && this.params.every((p) => p.kind !== undefined || p.has_default || p.rest);
  }

  canGrow() {
    return this.params.some((p) => p.kind !== undefined && !p.has_default && (p.kind.scalable || p.type.kind === "number" || p.type.kind === "big_int"));
  }
}

/** The numbers and texts that literals say, up to the largest that counts; tolerances are no limits of anything. */
function named(literals, largest) {
  const values = [...new Set(literals.map((text) => literal(text)?.value))];
  const numbers = values.filter((v) => Number.isFinite(v) && Math.abs(v) <= largest && (v === 0 || Math.abs(v) >= 1e-6));
  return { numbers: numbers.slice(0, MANY), texts: values.filter((v) => typeof v === "string").slice(0, MANY) };
}

/** Those of them that are inputs like any others: no function need have the time for more. */
function near({ numbers, texts }) {
  return { numbers: numbers.filter((n) => Math.abs(n) <= NEAR && !(Number.isInteger(n) && Math.abs(n) <= USUAL)).slice(0, 6), texts: texts.slice(0, 6) };
}

/** Texts by place; what comes after the first that is left out is left out too. */
export function given(texts) {
  const end = texts.indexOf(undefined);
  return end < 0 ? texts : texts.slice(0, end);
}

/** `([1, 2], 3)` of texts by place. */
export function written(texts) {
  return `(${given(texts).join(", ")})`;
}

/** Up to `limit` distinct calls `[receiver, arguments]`, small ones first. */
export function generate(plan, seed, limit) {
  return calls(plan, seed, limit).map(({ receiver, args }) => [receiver, written(args)]);
}

/** The same with the arguments apart. */
export function calls(plan, seed, limit) {
  if (plan.accessor) return plan.receivers.map((receiver) => ({ receiver, args: [] }));
  const rng = new Rng(seed);
  const sources = plan.canGenerate() ? [boundaries(plan, limit), mutations(plan, rng, limit), random(plan, rng, limit)] : [mutations(plan, rng, limit)];
  const seen = new Set(plan.calls.map(written));
  const chosen = [];
  let live = sources;
  while (live.length > 0 && chosen.length < limit) {
    for (const one of live) {
      let call;
      for (call = one.next(); !call.done && seen.has(written(call.value)); call = one.next());
      if (call.done) {
        live = live.filter((other) => other !== one);
      } else {
        seen.add(written(call.value));
        chosen.push(given(call.value));
      }
    }
  }
  const all = chosen.length > 0 ? chosen.slice(0, limit) : plan.calls;
  const ordered = [...new Map(all.map((args) => [written(args), args]))].sort(([a], [b]) => shorter(a, b));
  return received(plan.receivers.length > 0 ? plan.receivers : [""], ordered.map(([, args]) => args), limit);
}

/**
 * Half of the pairs are the smallest calls on every receiver; the others are spread over the larger ones.
 *
 * One receiver per call, in turn, would let the arguments grow along with what the receivers hold.
 */
function received(receivers, all, limit) {
  const count = receivers.length;
  const whole = count > 1 ? all.slice(0, Math.floor(limit / (2 * count))) : [];
  const rest = all.slice(whole.length);
  const pairs = whole.flatMap((args) => receivers.map((receiver) => ({ receiver, args })));
  const left = Math.min(limit - pairs.length, rest.length);
  const picked = Array.from({ length: left }, (_, turn) => rest[Math.floor((turn * rest.length) / left)]);
  return [...pairs, ...picked.map((args, turn) => ({ receiver: receivers[(turn + Math.floor(turn / count)) % count], args }))];
}

/** The calls that the examples make. */
export function callsOfExamples(plan) {
  return plan.receivers.slice(0, 1).flatMap((r) => plan.calls.map((c) => [r, written(c)]));
}

/** Every second call leaves out what has a default. */
function omits(param, turn) {
  return param.has_default && (param.kind === undefined || turn % 2 === 0);
}

/** Boundary values: each parameter walks through its own, at different strides. */
function* boundaries(plan, limit) {
  const fixed = plan.params.filter((p) => !p.rest);
  const rest = plan.params.find((p) => p.rest);
  const lists = fixed.map((p) => p.kind?.small() ?? [undefined]);
  for (let turn = 0; turn < limit * 4; turn += 1) {
    const row = combination(lists, rest === undefined ? turn : turn >> 2);
    if (row === undefined) return;
    const texts = fixed.map((p, i) => (omits(p, turn) ? undefined : row[i]));
    if (rest !== undefined) texts.push(...(rest.kind?.small() ?? ["1", "2", "3"]).slice(0, turn % 4));
    yield texts;
  }
}

/** Few combinations: all of them, those of early values first. Many: a walk at different strides. */
function combination(lists, turn) {
  const total = lists.reduce((product, x) => product * x.length, 1);
  if (total > 1600) {
    const longest = Math.max(...lists.map((x) => x.length));
    return lists.map((x, place) => x[(turn + place * (1 + Math.floor(turn / longest))) % x.length]);
  }
  lists.rows ??= rowsOf(lists, total);
  return lists.rows[turn];
}

function rowsOf(lists, total) {
  const rows = Array.from({ length: total }, (_, n) => {
    let rest = n;
    const places = lists.map((x) => {
      const place = rest % x.length;
      rest = Math.floor(rest / x.length);
      return place;
    });
    return { places, sum: places.reduce((a, b) => a + b, 0), n };
  });
  rows.sort((a, b) => a.sum - b.sum || a.n - b.n);
  return rows.map((r) => r.places.map((place, i) => lists[i][place]));
}

function* random(plan, rng, limit) {
  if (plan.params.length === 0) return;
  for (let turn = 0; turn < limit * 2; turn += 1) {
    const size = 1 + Math.floor((turn * 8) / (limit * 2)) + rng.below(3);
    const texts = [];
    for (const param of plan.params) {
      if (param.rest) for (let i = rng.below(8); i > 0 && param.kind !== undefined; i -= 1) texts.push(param.kind.random(rng, size));
      else texts.push(omits(param, turn) ? undefined : param.kind?.random(rng, size));
    }
    yield texts;
  }
}

/** The examples' calls with one or more arguments changed a little, and mixed. */
function* mutations(plan, rng, limit) {
  const calls = plan.values;
  if (calls.length === 0) return;
  for (let turn = 0; turn < limit * 4; turn += 1) {
    const values = [...calls[turn % calls.length]];
    if (values.length === 0) return;
    for (let i = 0; i < 1 + Math.floor((turn * 3) / (limit * 4)); i += 1) {
      const place = rng.below(values.length);
      const other = calls[rng.below(calls.length)];
      if (turn % 5 === 4 && place < other.length) values[place] = other[place];
      else values[place] = mutated(values[place], rng, calls.map((c) => c[place]).filter((v) => v !== undefined));
    }
    const texts = plan.admits(values) ? values.map(source) : [undefined];
    if (texts.every((t) => t !== undefined)) yield texts;
  }
}
