/**
 * Mode `properties`: fast-check falsifies `@property` laws and shrinks what it finds. It runs here, with
 * the judge; it makes up source text and a worker evaluates the law. So a candidate can neither see the
 * generator nor end it, and a law that hangs is a time-out of one case.
 */
import { built } from "./build.mjs";
import { doubtLaw } from "./doubts.mjs";
import { far } from "./far.mjs";
import { fractional } from "./fractions.mjs";
import { after, left } from "./gate.mjs";
import { Plan, written } from "./inputs.mjs";
import { Worker } from "./judge.mjs";

const CASES = 200;
const FEWEST = 10;
const CASE_SECONDS = 2;
const ALL_SECONDS = 20;
/** Shrinking stops after so many steps: each costs a call. */
const SHRINKS = 400;

/** Facts: per law `{ index, valid, invalid, status, bindings, why, call }`. */
export async function run(request) {
  const fc = (await import(request.fast_check)).default;
  const [subject] = await built(request);
  const end = after(request.seconds ?? ALL_SECONDS);
  const plan = new Plan(request);
  const worker = new Worker(subject);
  try {
    const laws = [];
    for (const index of request.properties.keys()) laws.push(await new Law(request, worker, plan, index, end).decided(fc));
    return { laws, broken: worker.broken };
  } finally {
    worker.stop();
  }
}

class Law {
  constructor(request, worker, plan, index, end) {
    Object.assign(this, { request, worker, plan, index, end });
    const uses = request.properties_uses[index];
    this.params = plan.params.filter((p) => p.binds.some((name) => uses.includes(name)));
    this.facts = { index, valid: 0, invalid: 0, status: "held", bindings: "()", why: "", call: "" };
    this.stopped = false;
    this.seen = new Map();
    this.known = new Map();
    this.held = new Set();
    /** Runs that `@requires` allows; cases are those that differ. */
    this.runs = 0;
    this.cases = new Set();
  }

  async decided(fc) {
    const unknown = this.params.filter((p) => p.kind === undefined).map((p) => p.name);
    if (unknown.length > 0) return { ...this.facts, status: "no values", why: unknown.join(", ") };
    if (await this.edges()) return this.facts;
    const cases = { seed: this.request.seed ?? 0, numRuns: this.params.length === 0 ? 1 : CASES };
    const arbitrary = this.arbitrary(fc);
    await this.askAhead(fc.sample(arbitrary, cases));
    const check = fc.asyncProperty(arbitrary, (args) => this.holds(fc, args));
    const details = await fc.check(check, { ...cases, maxSkipsPerRun: 20, endOnFailure: false, verbose: 0 });
    // The last that was seen to fail need not be the smallest.
    const smallest = details.counterexample?.[0];
    if (smallest !== undefined && this.seen.has(written(smallest))) this.tell(smallest, this.seen.get(written(smallest)));
    if (this.facts.why === "" && this.edge !== undefined) this.found(...this.edge);
    if (this.facts.why === "" && !this.stopped && !details.failed) await this.further();
    if (this.facts.why === "" && !this.stopped && !details.failed) await this.fractions();
    if (this.facts.why !== "") this.facts.status = "falsified";
    else if (this.stopped) this.facts.status = "timed out";
    else if (this.worker.broken) this.facts.status = "broken";
    else if (details.failed && details.numSkips <= details.numRuns) this.facts.status = "broken";
    if (this.facts.status === "held" && this.params.length > 0 && this.runs < FEWEST) this.facts.status = "starved";
    if (this.facts.status === "held") Object.assign(this.facts, await doubtLaw(this.worker, this.index, [...this.held], this.end));
    return this.facts;
  }

  /** Asks for fast-check's first cases before it does, so that it need not wait for each; up to one that it will shrink. */
  async askAhead(cases) {
    const texts = [...new Set(cases.map(written))];
    let at = 0;
    for await (const answer of this.worker.askAll(texts.map((args) => this.job(args)), CASE_SECONDS)) {
      if (left(this.end) <= 0 || (answer[0] !== "invalid" && !isTrue(answer))) break;
      this.known.set(texts[at], answer);
      at += 1;
    }
  }

  /** Cases far from what fast-check makes up. */
  async further() {
    const how = {
      params: this.params,
      job: ({ args }) => this.job(written(args)),
      result: async (call, answer) => (isTrue(answer) ? "" : String((await this.worker.ask(["outcome", call.receiver, written(call.args)], CASE_SECONDS))[1])),
    };
    for await (const { args, answer } of far(this.worker, this.plan, how)) {
      if (left(this.end) <= 0) return;
      if (answer[0] === "invalid") continue;
      this.count(args);
      if (isTrue(answer)) {
        this.held.add(written(args));
        continue;
      }
      this.found(args, answer);
      return;
    }
  }

  /** Cases with fractions: the law judges them; what throws or does not end says nothing. */
  async fractions() {
    const tried = this.params.length === 0 ? [] : fractional(this.request, this.plan).map(({ args }) => args);
    let at = 0;
    for await (const answer of this.worker.askAll(tried.map((args) => this.job(written(args))), CASE_SECONDS)) {
      if (answer[0] === "timeout" || left(this.end) <= 0) return;
      const args = tried[at];
      at += 1;
      if (isTrue(answer)) this.count(args);
      if (answer[0] !== "false") continue;
      this.count(args);
      this.found(args, answer);
      return;
    }
  }

  job(args) {
    return ["law", String(this.index), args];
  }

  /** One case; what it falsifies is kept, the smallest last. */
  async holds(fc, args) {
    if (this.stopped || this.shrinks > SHRINKS) return true;
    if (this.shrinks !== undefined) this.shrinks += 1;
    if (left(this.end) <= 0) {
      this.stopped = true;
      return true;
    }
    const answer = this.known.get(written(args)) ?? (await this.worker.ask(this.job(written(args)), CASE_SECONDS));
    if (answer[0] === "invalid") {
      this.facts.invalid += 1;
      fc.pre(false);
    }
    this.count(args);
    if (isTrue(answer)) {
      this.held.add(written(args));
      return true;
    }
    this.found(args, answer);
    this.shrinks ??= 0;
    // A case that does not end is not shrunk: that would wait for many more.
    if (answer[0] === "timeout") this.stopped = true;
    return false;
  }

  count(args) {
    this.runs += 1;
    this.cases.add(written(args));
    this.facts.valid = this.cases.size;
  }

  found(args, answer) {
    this.seen.set(written(args), answer);
    if (this.facts.why === "") this.tell(args, answer);
  }

  tell(args, answer) {
    const call = `${this.request.function}${written(args)}`;
    const values = this.params.map((p) => `${p.name}=${args[this.plan.params.indexOf(p)]}`);
    Object.assign(this.facts, { bindings: `(${values.join(", ")})`, why: why(answer), call: this.params.length === 0 ? "" : call, status: "falsified" });
  }

  /** Arguments for all parameters, in order; those that the law does not use have their first value. */
  arbitrary(fc) {
    const parts = this.plan.params.map((p) => {
      if (!this.params.includes(p)) return fc.constant(p.has_default || p.rest || p.kind === undefined ? undefined : p.kind.small()[0]);
      const made = p.kind.arbitrary(fc);
      return p.texts.length > 0 ? fc.oneof({ weight: 5, arbitrary: made }, { weight: 1, arbitrary: fc.constantFrom(...p.texts) }) : made;
    });
    return fc.tuple(...parts).map((texts) => filled(texts, this.params.map((p) => this.plan.params.indexOf(p))));
  }

  /**
   * Boundary values first, smallest first: what hangs on one is found small without shrinking. The first that breaks the
   * law is kept for the case that fast-check makes up none that does, or none that is smaller.
   */
  async edges() {
    const lists = this.plan.params.map((p) => (this.params.includes(p) ? p.kind.small() : [p.has_default || p.rest ? undefined : p.kind?.small()[0]]));
    const longest = Math.max(1, ...lists.map((x) => x.length));
    const rows = [];
    for (let turn = 0; turn < longest; turn += 1) {
      rows.push(filled(lists.map((x) => x[turn % x.length]), this.params.map((p) => this.plan.params.indexOf(p))));
    }
    let at = 0;
    for await (const answer of this.worker.askAll(rows.map((args) => this.job(written(args))), CASE_SECONDS)) {
      if (answer[0] === "timeout" || answer[0] === "crash") {
        this.found(rows[at], answer);
        return true;
      }
      if (answer[0] !== "invalid" && !isTrue(answer)) this.edge ??= [rows[at], answer];
      at += 1;
    }
    return false;
  }
}

/** What is left out before a used parameter is given as `undefined`. */
function filled(texts, used) {
  const last = Math.max(-1, ...used);
  return texts.map((t, i) => (t === undefined && i < last ? "undefined" : t));
}

/** Whether the law held, and nothing that it was shown pretends. */
function isTrue(answer) {
  return answer[0] === "true" && answer[answer.length - 2] === "";
}

function why(answer) {
  if (answer[0] === "false" && answer[1]) return `is false${answer[1]}`;
  if (answer[0] === "raised") return answer[3] ? `raised ${answer[1]}: ${answer[3]}` : `raised ${answer[1]}`;
  return { true: "untrusted", untrusted: "untrusted", false: "false", timeout: "timeout", broken: "broken" }[answer[0]] ?? "crash";
}
