/**
 * Claims that hold are doubted: asked once more, in another order, and of functions that are wrong on purpose. What
 * held once may have held of the first call only; what holds of a wrong function too (`wrong.mjs`) shows nothing.
 */
import { CALL_SECONDS, checked, left, UNKNOWN } from "./gate.mjs";
import { literal } from "./literals.mjs";

const WAYS = ["1", "2", "3", "4", "5", "6"];
/** Generated inputs for each way to be wrong. */
const CASES = 24;
const ROW = 8;
const SECONDS = 0.5;

/** Takes back what does not hold when it is asked again, marks what shows nothing as `hollow`, and what no wrong function was asked as `untested`. */
export async function doubt(worker, request, facts, end) {
  if (facts.length === 0 || worker.broken || !facts.every((f) => f.ok)) return;
  await repeated(worker, request.examples, facts, end);
  if (!facts.every((f) => f.ok) || request.examples.some(isPlain)) return;
  for (const fact of facts) fact.hollow = true;
  for (const way of WAYS) {
    for (const fact of facts.filter((f) => f.hollow)) {
      const wrong = { ask: (job, seconds) => worker.ask(["as", way, ...job], Math.min(seconds, SECONDS)) };
      const found = left(end) > 0 ? await checked(wrong, request.examples[fact.index], SECONDS) : { ok: false, got: UNKNOWN };
      fact.hollow = found.ok;
      fact.untested = found.got === UNKNOWN;
    }
  }
}

/** Asks again as the file stands now, and of the file loaded anew the last first. */
async function repeated(worker, examples, facts, end) {
  await askAgain(worker, examples, facts, [...facts], end, "asked again");
  if (facts.length < 2 || !facts.every((f) => f.ok)) return;
  if ((await worker.ask(["reload"], CALL_SECONDS))[0] === "ready") {
    await askAgain(worker, examples, facts, [...facts].reverse(), end, "asked in another order");
  }
}

async function askAgain(worker, examples, facts, order, end, when) {
  for (const { index } of order) {
    if (left(end) <= 0) return;
    const fact = await checked(worker, examples[index], CALL_SECONDS);
    if (!fact.ok) facts[index] = { ...fact, index, again: when };
  }
}

/** Whether it compares the bare result of a call with a literal, which no wrong function can meet. */
function isPlain(example) {
  return example.bare && (example.kind === "raises" || literal(`(${example.right})()`) !== undefined);
}

/** The clauses of `@ensures` that wrong functions meet on all of these calls, far ones too: `hollow`; `untested` where time was short. */
export async function hollowClauses(worker, request, calls, far, end) {
  const hollow = new Set(request.ensures.keys());
  for (const way of WAYS) {
    for (const row of [...rows(calls), ...rows(far)]) {
      if (hollow.size === 0) return { hollow: [], untested: [] };
      if (left(end) <= 0) return { hollow: [], untested: [...hollow] };
      for (const [kind, found] of await all(worker, row.map((call) => ["as", way, "unheld", ...call]))) {
        if (kind === "unheld") found.split(" ").forEach((i) => hollow.delete(Number(i === "" ? -1 : i)));
        else if (kind !== "invalid") hollow.clear();
      }
    }
  }
  return { hollow: [...hollow], untested: [] };
}

/** Whether wrong functions obey a law in all of these cases (`hollow`), or were not asked (`untested`). */
export async function doubtLaw(worker, index, cases, end) {
  const untested = { hollow: false, untested: true };
  for (const way of WAYS) {
    for (const row of rows(cases)) {
      if (left(end) <= 0) return untested;
      for (const [kind] of await all(worker, row.map((args) => ["as", way, "law", String(index), args]))) {
        if (kind === "unknown") return untested;
        if (kind !== "true" && kind !== "invalid") return { hollow: false, untested: false };
      }
    }
  }
  return { hollow: cases.length > 0, untested: false };
}

async function all(worker, jobs) {
  const answers = [];
  for await (const answer of worker.askAll(jobs, SECONDS)) answers.push(answer);
  return answers;
}

/** Some of the items, from all over the list. */
function rows(items) {
  const step = Math.max(1, items.length / CASES);
  const some = Array.from({ length: Math.min(CASES, items.length) }, (_, i) => items[Math.floor(i * step)]);
  return Array.from({ length: Math.ceil(some.length / ROW) }, (_, i) => some.slice(i * ROW, (i + 1) * ROW));
}
