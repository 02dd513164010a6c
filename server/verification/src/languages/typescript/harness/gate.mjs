/**
 * The gate and the fingerprint: does the candidate do what the examples say, and what else does it do?
 * Everything is run a second time by another process with the calls in reverse order: a candidate that
 * then answers differently is not a function of its arguments.
 */
import { built } from "./build.mjs";
import { generate, LARGE, Plan, SMALL } from "./inputs.mjs";
import { Worker } from "./judge.mjs";
import { literal } from "./literals.mjs";
import { equality, show } from "./values.mjs";

export const CALL_SECONDS = 2;
const INPUT_SECONDS = 1;
export const ALL_SECONDS = 10;
/** After so many calls that did not end, or ended their process, the others are not tried. */
const HANGS = 4;
/** Thousands of candidates wait less for calls that do not end than one does. */
const BATCH = { input_seconds: 0.5, hangs: 2 };

/** What a claim gives whose wrong function was not called. */
export const UNKNOWN = "unknown";

/** The moment after which nothing more is asked. */
export const after = (seconds) => performance.now() + seconds * 1e3;
export const left = (end) => (end - performance.now()) / 1e3;

/** Mode `judge`: one candidate, or `candidates` of one task in turn. */
export async function run(request) {
  const subjects = await built(request);
  if (request.candidates === undefined) return judged(request, subjects[0]);
  const facts = [];
  for (const subject of subjects) facts.push(await judged({ ...request, ...BATCH, observes: true }, subject));
  return { candidates: facts };
}

async function judged(request, subject) {
  const end = after(request.seconds ?? ALL_SECONDS);
  const worker = new Worker(subject);
  const second = new Worker(subject);
  try {
    const facts = await examples(worker, request, end, request.failures ?? 2);
    const rejected = !facts.every((f) => f.ok);
    const answer = { examples: facts, outcomes: [], broken: worker.broken, unstable: null };
    const hangs = rejected && facts[facts.length - 1]?.got === "timeout";
    if (worker.broken || request.inputs === 0 || (rejected && !request.observes) || hangs) return answer;
    const plan = new Plan(request);
    const chosen = await select(worker, request, plan, end);
    // The repetition runs beside the first run: each has a process of its own.
    const again = rejected ? Promise.resolve([]) : fingerprint(second, request, [...chosen].reverse(), end);
    answer.outcomes = await fingerprint(worker, request, chosen, end);
    answer.broken = worker.broken;
    answer.unstable = unlike(answer.outcomes, await again);
    return answer;
  } finally {
    worker.stop();
    second.stop();
  }
}

/**
 * One fact per example: `{ index, ok, got, expected, violates, calls }`. After `failures` of them nothing
 * more is asked: one failed example or several is all that matters.
 */
export async function examples(worker, request, end, failures = Infinity) {
  const facts = [];
  for (const [index, example] of request.examples.entries()) {
    const seconds = Math.min(request.call_seconds ?? CALL_SECONDS, left(end));
    const fact = seconds > 0 ? await checked(worker, example, seconds) : { ok: false, got: "timeout", expected: "", violates: null, calls: "" };
    facts.push({ index, ...fact });
    if (facts.filter((f) => !f.ok).length >= failures) break;
  }
  return facts;
}

export function checked(worker, example, seconds) {
  const asked = example.on_step ? { ask: (job, seconds) => worker.ask(["on_step", ...job], seconds) } : worker;
  return { equation, holds, raises }[example.kind](asked, example, seconds);
}

async function equation(worker, example, seconds) {
  const known = literal(`(${example.right})()`);
  const [text, opaque] = known === undefined ? ["", true] : equality(known.value);
  const isOurs = known !== undefined && !opaque;
  const answer = await worker.ask(["equation", example.left, isOurs ? "" : example.right], seconds);
  if (answer[0] !== "value") return other(answer, isOurs ? show(known.value) : "");
  const notes = answer.slice(-3);
  if (isOurs) return fact(answer[1] === text && answer[3] === "", answer[2], show(known.value), notes);
  return fact(answer[4] === "same", answer[2], answer[5], notes);
}

async function holds(worker, example, seconds) {
  const answer = await worker.ask(["holds", example.code], seconds);
  if (answer[0] !== "true" && answer[0] !== "false") return other(answer, "true");
  return fact(answer[0] === "true", answer[1], "true", answer.slice(-3));
}

async function raises(worker, example, seconds) {
  const [name, ...words] = example.expected.split(":");
  const text = words.join(":").trim();
  const wanted = name.trim().split(".").pop();
  const answer = await worker.ask(["raises", example.code], seconds);
  if (answer[0] === "value") return fact(false, answer[2], example.expected, ["", "", ""]);
  if (answer[0] !== "raised") return other(answer, example.expected);
  const accepted = answer[2].split(" ").includes(wanted) && (text === "" || answer[3].includes(text));
  // A call that must throw lies outside `@requires`, as a rule.
  return { ...fact(accepted, `! ${exception(answer)}`, example.expected, answer.slice(-3)), violates: null };
}

function exception(answer) {
  return answer[3] ? `${answer[1]}: ${answer[3]}` : answer[1];
}

function fact(ok, got, expected, [violates, pretender, calls]) {
  const clause = violates === "" ? null : Number(violates);
  if (pretender !== "") return { ok: false, got: pretends(pretender), expected, violates: clause, calls };
  return { ok, got, expected, violates: clause, calls };
}

const pretends = (what) => `${what}, which can pretend to be any value`;

/** Facts of an answer that is no value: nothing of this can satisfy an example. */
function other(answer, expected) {
  const [kind] = answer;
  if (kind === "raised") return fact(false, `! ${exception(answer)}`, expected, answer.slice(-3));
  if (kind === "untrusted") return fact(false, pretends(answer[1]), expected, ["", "", ""]);
  const got = { timeout: "timeout", unknown: UNKNOWN, crash: `crash: ${answer[1]}`, uncalled: `uncalled: ${answer[1]}` }[kind] ?? `broken: ${answer[1]}: ${answer[2]}`;
  const found = fact(false, got, expected, ["", "", ""]);
  return kind === "broken" ? { ...found, missing_module: answer[3] ?? "" } : found;
}

/** `[call, outcome]` for the calls that `@requires` allows, in the order of their length. */
async function fingerprint(worker, request, chosen, end) {
  const asked = [];
  let hangs = 0;
  let last = "timeout";
  const seconds = () => Math.min(request.input_seconds ?? INPUT_SECONDS, left(end));
  const answers = worker.askAll(chosen.map((call) => ["outcome", ...call]), seconds);
  for (const [receiver, args] of chosen) {
    const waits = seconds() > 0 && hangs < (request.hangs ?? HANGS);
    const answer = waits ? (await answers.next()).value : [last];
    if (answer[0] === "broken") break;
    if (answer[0] === "invalid") continue;
    if (answer[0] === "timeout" || answer[0] === "crash") {
      hangs += 1;
      last = answer[0];
    }
    asked.push([spelled(request, receiver, args), outcome(answer)]);
  }
  await answers.return();
  return asked.sort(([a], [b]) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0));
}

/** The first calls that `@requires` allows; from a larger pool when it allows few. */
async function select(worker, request, plan, end) {
  const wanted = request.inputs ?? SMALL;
  const seed = request.seed ?? 0;
  if (request.requires.length === 0) return generate(plan, seed, wanted);
  const chosen = [];
  const seen = new Set();
  for (const limit of [wanted, LARGE]) {
    const pool = generate(plan, seed, limit);
    const step = Math.max(1, Math.floor(pool.length / wanted));
    const starts = Array.from({ length: step }, (_, start) => pool.filter((_, i) => i % step === start));
    const fresh = starts.flat().filter((call) => !seen.has(call.join("\n")));
    for (const call of fresh) seen.add(call.join("\n"));
    while (fresh.length > 0 && chosen.length < wanted && left(end) > 0) {
      const some = fresh.splice(0, wanted - chosen.length);
      let at = 0;
      for await (const answer of worker.askAll(some.map((call) => ["valid", ...call]), INPUT_SECONDS)) {
        if (answer[0] === "valid") chosen.push(some[at]);
        at += 1;
      }
    }
  }
  return chosen;
}

function outcome(answer) {
  if (answer[0] === "outcome") return answer[1];
  return { timeout: "timeout", untrusted: "= a pretender" }[answer[0]] ?? "crash";
}

/** A call as a developer would write it. */
export function spelled(request, receiver, args) {
  if (request.plan.accessor) return `${receiver}.${request.function}`;
  if (request.function === "constructor") return `new ${request.class}${args}`;
  const head = receiver !== "" ? `${receiver}.` : request.class ? `${request.class}.` : "";
  return `${head}${request.function}${args}`;
}

/** The first call whose outcome differs between the two runs; time-outs are left alone. */
function unlike(first, second) {
  const again = new Map(second);
  for (const [call, seen] of first) {
    const now = again.get(call) ?? seen;
    if (now !== seen && now !== "timeout" && seen !== "timeout") return [call, seen, now];
  }
  return null;
}
