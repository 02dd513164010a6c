/**
 * Calls far from what examples show: numbers and lengths just past those that the spec names, then larger ones, and
 * words that every object has as names. Most faults show on small inputs; a lost bound or an overflow does not.
 *
 * A correct program may lack the time, the memory or the digits for them, and no spec says so. So what ends at a limit
 * of the machine, or past the largest number, is no answer to a call that nobody named.
 */
import { given } from "./inputs.mjs";
import { WHO } from "./kinds.mjs";

/** Seconds that such a call may take, and how many are made. */
const SECONDS = 0.5;
const MOST = 200;
/** How results look that are past what numbers and dates can say. */
const BEYOND = /\b(?:NaN|Infinity|Invalid Date)\b/;
/** What the machine says when it has no more. */
const EXHAUSTED = /Invalid (?:array|string|typed array) length|Array buffer allocation|BigInt size/;

/**
 * Asks the worker one call after the other and gives `{ receiver, args, answer }` of each that the machine was up to.
 * `job(call)` is what it is asked; `params` are those that matter; `result(call, answer)` is what the function
 * returned, as text, where the answer speaks against it.
 */
export async function* far(worker, plan, { params, job, result }) {
  if (plan.accessor || !plan.canGenerate()) return;
  let left = MOST;
  for (const { place, texts, who } of rowsOf(plan, params)) {
    const isSaid = who === "spec";
    let isUpToIt = true;
    for (const call of texts.flatMap((text) => around(plan, place, text, who))) {
      if (!isUpToIt || (left -= 1) < 0) break;
      const answer = await worker.ask(job(call), SECONDS);
      isUpToIt = !isTooMuch(answer, isSaid);
      if (isUpToIt && (isSaid || !BEYOND.test(await result(call, answer)))) yield { ...call, answer };
    }
  }
}

/** What each parameter can be, those first that follow from the spec, then those from the body. */
function rowsOf(plan, params) {
  const rows = plan.params.flatMap((p, place) => (params.includes(p) ? (p.kind?.far(plan.reach) ?? []).map((row) => ({ ...row, place })) : []));
  return WHO.flatMap((who) => rows.filter((row) => row.who === who));
}

/** Calls with one argument far away and the others as in examples, and as usual. */
function around(plan, place, text, who) {
  const at = (turn) => plan.params.map((p) => p.kind?.small()[turn] ?? p.kind?.small()[0] ?? "undefined");
  const usual = at(1);
  // What is named decides between cases, and which of them may lie with another argument.
  const isNamed = who !== "nobody" && plan.params.length > 1;
  const bases = isNamed ? [...plan.calls.slice(0, 3), usual, at(0), at(2)] : [...plan.calls.slice(0, 1), usual];
  const calls = bases.map((base) => {
    const of = (p, i) => (i === place ? text : (base[i] ?? (i > place && (p.has_default || p.rest) ? undefined : usual[i])));
    return plan.params.map(of);
  });
  const args = calls.map(given);
  const isNew = (call, i) => args.findIndex((other) => String(other) === String(call)) === i;
  return args.filter(isNew).map((call) => ({ receiver: plan.receivers[0], args: call }));
}

function isTooMuch([kind, ...said], isSaid) {
  if (kind === "timeout" || kind === "crash") return true;
  if (kind !== "raised" && kind !== "ensures-raised") return false;
  const [, name, text] = said;
  const names = name.split(" ");
  return names.includes("StackOverflow") || (names.includes("RangeError") && (!isSaid || EXHAUSTED.test(text)));
}
