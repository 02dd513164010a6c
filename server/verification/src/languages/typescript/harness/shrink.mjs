/**
 * Calls made smaller by structure: shorter arrays and texts, smaller numbers, fewer arguments. What a
 * parameter can be, its kind says. The order in which variants are tried, and so the result, depends on
 * the call alone.
 */
import { Day } from "./dates.mjs";
import { written } from "./inputs.mjs";
import { Big, Dict, Either, Fixed, Many, Num, Row, Str } from "./kinds.mjs";
import { literal, source } from "./literals.mjs";

/** Elements of one container, or letters of one text, that are varied one by one. */
const EACH = 12;
const FAR = 2 ** 40;

/** What small means: fewer parts, then smaller values, then a shorter text. */
export function size(call) {
  const weight = { parts: 0, reach: 0 };
  for (const text of call.args) {
    const found = literal(text);
    if (found === undefined) weight.parts += text.length;
    else weigh(found.value, weight);
  }
  return [weight.parts, weight.reach, written(call.args).length];
}

export function smaller(a, b) {
  const place = a.findIndex((part, i) => part !== b[i]);
  return place >= 0 && a[place] < b[place];
}

function weigh(value, weight) {
  weight.parts += 1;
  if (typeof value === "string") {
    weight.parts += 2 * value.length;
    for (const c of value) weight.reach += Math.min(Math.abs(c.codePointAt(0) - 97), 999);
  } else if (typeof value === "number") {
    const far = Number.isFinite(value) && Math.abs(value) < FAR ? Math.abs(value) : FAR;
    weight.reach += far + (value < 0 ? 1 : 0) + (Number.isInteger(value) ? 0 : String(value).length);
  } else if (value instanceof Map || value instanceof Set || Array.isArray(value)) {
    for (const item of value) weigh(item, weight);
  } else if (typeof value === "object" && value !== null) {
    for (const item of Object.values(value)) weigh(item, weight);
  }
}

/** The smallest call found by steps of which each is smaller and `still` holds. */
export async function shrunk(plan, start, still) {
  let call = start;
  for (;;) {
    const now = size(call);
    const found = [...new Map(variants(plan, call).map((c) => [key(c), c])).values()];
    const lighter = found.map((c) => [size(c), c]).filter(([w]) => smaller(w, now));
    lighter.sort(([a, x], [b, y]) => (smaller(a, b) ? -1 : smaller(b, a) ? 1 : key(x) < key(y) ? -1 : 1));
    let better;
    for (const [, one] of lighter) {
      if (await still(one)) {
        better = one;
        break;
      }
    }
    if (better === undefined) return call;
    call = better;
  }
}

export const key = (call) => `${call.receiver}\n${written(call.args)}`;

/** Calls that differ from `call` in one respect. */
function variants(plan, call) {
  const found = plan.receivers.filter((r) => r !== call.receiver).map((receiver) => ({ ...call, receiver }));
  call.args.forEach((text, place) => {
    const param = plan.params[Math.min(place, plan.params.length - 1)];
    if (param === undefined) return;
    const isLast = place === call.args.length - 1;
    if (param.rest || (isLast && param.has_default)) found.push({ ...call, args: call.args.filter((_, i) => i !== place) });
    for (const other of values(text, param.kind)) found.push({ ...call, args: call.args.map((t, i) => (i === place ? other : t)) });
  });
  return found;
}

/** Whether the arguments are of their kinds; changed examples can be of another. */
export function isMeant(plan, call) {
  return call.args.every((text, place) => {
    const kind = plan.params[Math.min(place, plan.params.length - 1)]?.kind;
    const found = literal(text);
    return kind === undefined || (found === undefined ? true : fits(found.value, kind, text));
  });
}

/** Whether a value is of a kind. */
function fits(value, kind, text = source(value)) {
  if (kind instanceof Either) return kind.parts.some((p) => fits(value, p, text));
  if (kind instanceof Num) return typeof value === "number";
  if (kind instanceof Str) return typeof value === "string";
  if (kind instanceof Big) return typeof value === "bigint";
  if (kind instanceof Day) return value instanceof Date;
  if (kind instanceof Fixed) return kind.texts.includes(text) || kind.texts.some((t) => source(literal(t)?.value) === text);
  if (kind instanceof Many) return items(value, kind)?.every((v) => fits(v, kind.element)) ?? false;
  if (kind instanceof Row) return kind.read?.(value)?.every((v, i) => (v === undefined && kind.optional[i]) || fits(v, kind.parts[i])) ?? true;
  if (kind instanceof Dict) return typeof value === "object" && value !== null;
  return true;
}

function items(value, kind) {
  if (kind.head === "[") return Array.isArray(value) ? value : undefined;
  return value instanceof Set || ArrayBuffer.isView(value) ? [...value] : undefined;
}

/** Source texts of values of the kind that are simpler than the one in `text`, or another. */
function values(text, kind) {
  const found = literal(text);
  if (kind === undefined) return [];
  if (found === undefined) return kind.small().slice(0, 6);
  return [...simpler(found.value, kind)].filter((t) => t !== undefined);
}

function* simpler(value, kind) {
  if (kind instanceof Either) {
    yield* kind.small();
    for (const part of kind.parts) if (fits(value, part)) yield* simpler(value, part);
  } else if (kind instanceof Num && typeof value === "number") {
    yield* numbers(value).map(source);
  } else if (kind instanceof Str && typeof value === "string") {
    yield* texts(value).map(source);
  } else if (kind instanceof Many && items(value, kind) !== undefined) {
    yield* sequences(items(value, kind), kind);
  } else if (kind instanceof Row && kind.read?.(value) !== undefined) {
    const parts = kind.read(value);
    const old = parts.map((p) => (p === undefined ? undefined : source(p)));
    for (const [place, part] of parts.entries()) {
      if (part === undefined) continue;
      if (kind.optional[place]) yield kind.write(old.map((t, i) => (i === place ? undefined : t)));
      for (const t of simpler(part, kind.parts[place])) yield kind.write(old.map((o, i) => (i === place ? t : o)));
    }
  } else {
    yield* kind.small();
  }
}

function* sequences(old, kind) {
  const sources = old.map(source);
  if (sources.some((t) => t === undefined)) return;
  for (const kept of fewer(sources)) yield kind.text(kept);
  for (const [place, item] of old.slice(0, EACH).entries()) {
    for (const t of simpler(item, kind.element)) yield kind.text(sources.map((o, i) => (i === place ? t : o)));
  }
}

/** Nothing, one half, the other, all but one. */
function* fewer(old) {
  const half = old.length >> 1;
  if (old.length > 0) yield [];
  if (half > 0) yield* [old.slice(0, half), old.slice(half)];
  for (let place = 0; place < Math.min(old.length, EACH); place += 1) yield old.filter((_, i) => i !== place);
  if (old.length > EACH) yield old.slice(0, -1);
}

function numbers(value) {
  if (!Number.isFinite(value) || Math.abs(value) >= FAR) return [0, 1];
  const steps = [0, 1, -1, Math.abs(value), Math.trunc(value / 2), Math.trunc(value), value > 0 ? value - 1 : value + 1, value / 2, Number(value.toFixed(1))];
  return steps.filter((s) => s !== value).map((s) => (s === 0 ? 0 : s));
}

function texts(value) {
  const letters = [...value];
  const half = letters.length >> 1;
  const found = [[], letters.slice(0, half), letters.slice(half), letters.map(() => "a")];
  for (let place = 0; place < Math.min(letters.length, EACH); place += 1) {
    found.push(letters.filter((_, i) => i !== place), letters.map((c, i) => (i === place ? "a" : c)), letters.map((c, i) => (i === place ? c.toLowerCase() : c)));
  }
  return found.map((f) => f.join("")).filter((t) => t !== value);
}
