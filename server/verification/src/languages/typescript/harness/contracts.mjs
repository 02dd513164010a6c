/** Mode `contracts`: `@raises` on the calls it names, `@requires` and `@ensures` on hundreds of inputs. */
import { built } from "./build.mjs";
import { doubt, hollowClauses } from "./doubts.mjs";
import { far } from "./far.mjs";
import { fractional } from "./fractions.mjs";
import { after, CALL_SECONDS, examples, left, spelled } from "./gate.mjs";
import { callsOfExamples, generate, LARGE, Plan, written } from "./inputs.mjs";
import { Worker } from "./judge.mjs";

const ALL_SECONDS = 8;
const AGAIN = 16;
/** What calls that are far away have at least, whatever the others took. */
const FAR_SECONDS = 2;

/** Facts: `raises` (as in the gate), `violations` (one per clause, the smallest call), counts. */
export async function run(request) {
  const [subject] = await built(request);
  const end = after(request.seconds ?? ALL_SECONDS);
  const worker = new Worker(subject);
  try {
    const facts = { raises: await examples(worker, request, end), violations: [], raised: [], timeouts: [], checked: 0, invalid: 0, crashes: [], broken: null, only_examples: false };
    if (request.ensures.length > 0 || request.requires.length > 0) {
      const plan = new Plan(request);
      const calls = callsOf(request, plan);
      const answers = await asked(worker, calls, end);
      const known = calls.flatMap((call, place) => (answers.has(place) ? [{ call, answer: answers.get(place) }] : []));
      for (const { call, answer } of known) record(facts, spelled(request, ...call), answer);
      const held = known.filter(({ answer }) => answer[0] === "holds").map(({ call }) => call);
      if (known.length < calls.length) facts.left = [calls.length - known.length, calls.length, request.seconds ?? ALL_SECONDS];
      if (facts.violations.length === 0) {
        await askAgain(facts, request, worker, held.slice(0, AGAIN));
        const further = facts.violations.length === 0 && facts.timeouts.length === 0 ? await askFar(facts, request, worker, plan, after(Math.max(left(end), FAR_SECONDS))) : [];
        Object.assign(facts, await hollowClauses(worker, request, held, further, end));
        const fractions = facts.violations.length === 0 && facts.timeouts.length === 0 ? await askFractions(facts, request, worker, plan, end) : 0;
        facts.only_examples = areExamplesAlone(plan, calls, held, further.length + fractions);
      }
    }
    await doubt(worker, request, facts.raises, end);
    facts.broken = worker.broken;
    return facts;
  } finally {
    worker.stop();
  }
}

/** Answers by place. Every third call comes first: of each kind and size there are some, should the time run out. */
async function asked(worker, calls, end) {
  const order = [0, 1, 2].flatMap((start) => calls.flatMap((_, place) => (place % 3 === start ? [place] : [])));
  const answers = new Map();
  let timeouts = 0;
  for await (const answer of worker.askAll(order.map((place) => ["contract", ...calls[place]]), CALL_SECONDS)) {
    answers.set(order[answers.size], answer);
    timeouts += answer[0] === "timeout" ? 1 : 0;
    if (left(end) <= 0 || timeouts === 3) break;
  }
  return answers;
}

/** Calls that were made before, once more: what is kept of a call must not change the next. */
async function askAgain(facts, request, worker, held) {
  let at = 0;
  for await (const answer of worker.askAll(held.map((call) => ["contract", ...call]), CALL_SECONDS)) {
    if (["ensures", "ensures-raised", "raised"].includes(answer[0])) record(facts, spelled(request, ...held[at]), answer);
    at += 1;
  }
}

/** Calls that are far away; gives those for which everything holds. */
async function askFar(facts, request, worker, plan, end) {
  const held = [];
  const how = {
    params: plan.params,
    job: ({ receiver, args }) => ["contract", receiver, written(args)],
    result: (_call, answer) => (answer[0].startsWith("ensures") ? answer.at(-1) : ""),
  };
  for await (const { receiver, args, answer } of far(worker, plan, how)) {
    if (left(end) <= 0) break;
    const call = [receiver, written(args)];
    record(facts, spelled(request, ...call), answer);
    if (answer[0] === "holds") held.push(call);
  }
  return held;
}

/** Calls with fractions: what a clause says of their results counts. What throws or does not end says nothing, nor does a clause that cannot speak of them. */
async function askFractions(facts, request, worker, plan, end) {
  const tried = fractional(request, plan).map(({ receiver, args }) => [receiver, written(args)]);
  let at = 0;
  let checked = 0;
  for await (const answer of worker.askAll(tried.map((call) => ["contract", ...call]), CALL_SECONDS)) {
    if (answer[0] === "timeout" || left(end) <= 0) break;
    if (answer[0] === "holds" || answer[0] === "ensures") {
      checked += 1;
      record(facts, spelled(request, ...tried[at]), answer);
    }
    at += 1;
  }
  return checked;
}

/** Whether nothing but the examples' own calls gave a result, though others could be made, or none could. */
function areExamplesAlone(plan, calls, held, others) {
  const shown = new Set(callsOfExamples(plan).map((call) => call.join("\n")));
  const isOther = (call) => !shown.has(call.join("\n"));
  if (plan.params.length === 0 || others > 0 || held.some(isOther)) return false;
  return calls.some(isOther) || plan.params.some((p) => !p.isKnown && !p.has_default);
}

function callsOf(request, plan) {
  const fixed = callsOfExamples(plan).sort(([, a], [, b]) => a.length - b.length || (a < b ? -1 : 1));
  const all = [...fixed, ...generate(plan, request.seed ?? 0, LARGE)];
  return [...new Map(all.map((call) => [call.join("\n"), call])).values()];
}

/** Adds what one call showed. */
function record(facts, call, answer) {
  const [kind] = answer;
  const isNew = (list, test) => !list.some(test);
  if (kind === "invalid") {
    facts.invalid += 1;
  } else if (kind === "holds") {
    facts.checked += 1;
  } else if (kind === "ensures" || kind === "ensures-raised") {
    facts.checked += 1;
    const clause = Number(answer[1]);
    const error = kind === "ensures-raised" ? answer.slice(2, 4).filter(Boolean).join(": ") : "";
    if (isNew(facts.violations, (v) => v.clause === clause)) facts.violations.push({ clause, call, result: answer[answer.length - 1], error });
  } else if (kind === "raised") {
    facts.refused = (facts.refused ?? 0) + 1;
    const found = { call, exception: answer[1], bases: answer[2].split(" "), text: answer[3] };
    if (isNew(facts.raised, (r) => r.exception === answer[1])) facts.raised.push(found);
  } else if (kind === "timeout") {
    facts.timeouts.push(call);
  } else if (kind === "crash" || kind === "untrusted") {
    const how = kind === "crash" ? `ended its process: ${answer[1]}` : `gave ${answer[1]}, which can pretend to be any value`;
    if (isNew(facts.crashes, (c) => c.how === how)) facts.crashes.push({ call, how });
  }
}
