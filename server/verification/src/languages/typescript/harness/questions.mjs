/**
 * Mode `questions`: the smallest calls on which behaviours differ, and what each answers to them. One
 * worker per behaviour holds its representative candidate. A call is worth the more, the more votes its
 * answers tell apart; among the best ones the smallest is taken and made smaller (`shrink`). Numbers that
 * differ by rounding are one answer, time-outs and crashes are answers that nobody can choose.
 */
import { built } from "./build.mjs";
import { after, left, spelled } from "./gate.mjs";
import { calls, LARGE, Plan, written } from "./inputs.mjs";
import { Worker } from "./judge.mjs";
import { literal } from "./literals.mjs";
import { isMeant, key, shrunk, size, smaller } from "./shrink.mjs";
import { STACK } from "./values.mjs";

/** Calls that are tried, over all questions, and how many of them no fingerprint holds. */
const RUNS = 300;
const POOL = 80;
/** Calls that may run out of time before no further one is tried. */
const SLOW = 3;
const QUESTIONS = 3;
const CALL_SECONDS = 0.5;
const ALL_SECONDS = 8;
/** The longest answer that anybody would choose. */
const TEXT = 300;
const CLOSE = 1e-9;

/** Facts: `questions`: `[{ input, answers: [{ text, clause, members }] }]`. */
export async function run(request) {
  const panel = new Panel(request, await built(request));
  try {
    const plan = new Plan(request);
    const questions = [];
    if (request.only === undefined) {
      for await (const call of differing(panel, plan, request)) questions.push(await panel.question(call));
    } else if (request.only !== null && (await panel.answers(request.only))) {
      questions.push(await panel.question(request.only));
    }
    return { questions };
  } finally {
    panel.stop();
  }
}

/** The behaviours, each in a process of its own, with their votes. */
class Panel {
  constructor(request, subjects) {
    this.request = request;
    this.votes = request.votes;
    this.workers = subjects.map((s) => new Worker(s));
    this.end = after(request.seconds ?? ALL_SECONDS);
    this.pairs = this.workers.flatMap((_, a) => this.workers.slice(a + 1).map((__, b) => [a, a + 1 + b]));
    this.known = new Map();
    this.left = RUNS;
    this.slow = 0;
  }

  /** One answer per behaviour; `null` outside `@requires`, or when nothing more may be tried. */
  async answers(call) {
    const name = key(call);
    if (this.known.has(name)) return this.known.get(name);
    if (this.left <= 0 || this.slow >= SLOW || left(this.end) <= 0) return null;
    this.left -= 1;
    const job = ["answer", call.receiver, written(call.args)];
    const said = await Promise.all(this.workers.map((w) => w.ask(job, CALL_SECONDS)));
    const found = said.some(([kind]) => kind === "invalid") ? null : said.map((s) => new Answer(s));
    if (found?.some((a) => a.kind === "timeout")) this.slow += 1;
    this.known.set(name, found);
    return found;
  }

  /** How many pairs of votes the call tells apart; those that are hardly asked for count half. */
  async worth(call, pairs) {
    const found = await this.answers(call);
    if (found === null || !found.some((a) => a.canBeChosen())) return 0;
    return pairs.reduce((sum, [a, b]) => sum + this.votes[a] * this.votes[b] * found[a].distance(found[b]), 0);
  }

  /** The question about a call: its answers, those that are the same taken together. */
  async question(call) {
    const input = spelled(this.request, call.receiver, written(call.args));
    const groups = [];
    for (const [member, answer] of (await this.answers(call)).entries()) {
      const group = groups.find((g) => g[0][1].distance(answer) === 0);
      if (group === undefined) groups.push([[member, answer]]);
      else group.push([member, answer]);
    }
    const answers = groups.map((group) => {
      const [, answer] = [...group].sort(([a], [b]) => this.votes[b] - this.votes[a] || a - b)[0];
      const isExact = group.every(([, a]) => a.key === answer.key);
      const call = this.request.waits ? `await ${input}` : input;
      return { text: answer.text, clause: answer.clause(input, call, isExact), members: group.map(([m]) => m) };
    });
    return { input, answers };
  }

  stop() {
    for (const worker of this.workers) worker.stop();
  }
}

/** What one behaviour answers to one call. */
class Answer {
  constructor(said) {
    this.kind = ["value", "raises", "timeout"].includes(said[0]) ? said[0] : "crash";
    Object.assign(this, { key: "", source: "", isFraction: false });
    if (this.kind === "value") {
      [, this.key, this.text, this.source] = said;
      this.isFraction = said[4] !== "";
      if (this.text.length > TEXT) this.text = `${this.text.slice(0, TEXT / 2)}…`;
    } else if (this.kind === "raises") {
      this.key = said[1];
      this.text = `throws ${this.key}`;
    } else {
      this.text = this.kind === "timeout" ? "does not end in its time" : ending(said);
    }
  }

  /** 0 for one answer, 2 for two of which a user can tell which is meant, 1 for two of little interest. */
  distance(other) {
    const kinds = [this.kind, other.kind];
    if (this.kind !== other.kind) return kinds.includes("value") && kinds.includes("raises") ? 2 : 1;
    if (this.key === other.key) return 0;
    if (this.kind !== "value") return 1;
    const [a, b] = [literal(this.source), literal(other.source)];
    return this.source !== "" && other.source !== "" && a !== undefined && b !== undefined && close(a.value, b.value) ? 0 : 2;
  }

  canBeChosen() {
    return this.kind === "value" ? this.source !== "" && this.source.length <= TEXT : this.kind === "raises" && this.key !== STACK;
  }

  /** The line of the spec that chooses this answer, or `null`. */
  clause(input, call, isExact) {
    if (!this.canBeChosen()) return null;
    let text = `@example ${call} === ${this.source}`;
    if (this.kind === "raises") {
      text = `@raises ${this.key} ${input}`;
    } else if (this.isFraction && !(isExact && isRound(this.source))) {
      // Another way to compute it may end in another last digit.
      const value = Number(this.source);
      const reach = Math.max(0, String(Math.trunc(Math.abs(value))).length - 1) - 9;
      const shown = String(Number(value.toPrecision(12)));
      text = `@example Math.abs((${call}) - ${value < 0 ? `(${shown})` : shown}) <= 1e${reach}`;
    }
    return text.includes("\n") ? null : text;
  }
}

function ending(said) {
  if (said[0] === "untrusted") return "gives a value that pretends";
  return said[0] === "broken" ? "does not load" : "ends its process";
}

/** Whether twelve digits say all of a number. */
const isRound = (text) => Number(Number(text).toPrecision(12)) === Number(text);

/** Whether two values are equal but for the last digits of their numbers. */
function close(a, b) {
  if (typeof a === "number" && typeof b === "number") {
    return a === b || Math.abs(a - b) <= CLOSE * Math.max(1, Math.abs(a), Math.abs(b));
  }
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => close(v, b[i]));
  if (isPlain(a) && isPlain(b)) {
    const names = Object.keys(a);
    return names.length === Object.keys(b).length && names.every((n) => n in b && close(a[n], b[n]));
  }
  return a === b;
}

const isPlain = (v) => typeof v === "object" && v !== null && Object.getPrototypeOf(v) === Object.prototype;

/** The calls to ask about: each tells behaviours apart that no earlier one does. */
async function* differing(panel, plan, request) {
  const taken = new Set(plan.calls.map(written));
  const wanted = request.differing.filter((c) => !taken.has(written(c.args)));
  const longest = Math.max(0, ...wanted.map((c) => written(c.args).length));
  const names = new Set(wanted.map(key));
  const fresh = calls(plan, request.seed ?? 0, LARGE);
  const pool = [...wanted, ...fresh.filter((c) => !taken.has(written(c.args)) && !names.has(key(c)) && written(c.args).length <= longest).slice(0, POOL)];
  let { pairs } = panel;
  for (let turn = 0; turn < QUESTIONS; turn += 1) {
    const rated = [];
    for (const call of pool) rated.push([await panel.worth(call, pairs), call]);
    const useful = rated.filter(([worth]) => worth > 0);
    // A call that the types do not allow is asked about only for want of a better one.
    const meant = useful.filter(([, call]) => isMeant(plan, call));
    const chosen = meant.length > 0 ? meant : useful;
    if (chosen.length === 0) return;
    const best = Math.max(...chosen.map(([worth]) => worth));
    const start = chosen.filter(([worth]) => worth === best).map(([, call]) => call).reduce((a, b) => (smaller(size(b), size(a)) ? b : a));
    const call = await shrunk(plan, start, async (c) => !taken.has(written(c.args)) && isMeant(plan, c) >= isMeant(plan, start) && (await panel.worth(c, pairs)) >= best);
    yield call;
    const found = await panel.answers(call);
    pairs = pairs.filter(([a, b]) => found[a].distance(found[b]) === 0);
  }
}
