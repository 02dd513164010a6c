/**
 * Mode `performance`: how long calls take. The judging of the figures is not done here.
 *
 * - `budgets`: wall time of the given calls;
 * - `growth`: CPU time at doubling sizes, the worst of several shapes of input, for `@complexity`;
 * - `regression`: the new code and the code it replaces, in turns, on the same inputs.
 */
import { built } from "./build.mjs";
import { after, left } from "./gate.mjs";
import { callsOfExamples, Plan, written } from "./inputs.mjs";
import { Worker } from "./judge.mjs";
import { Rng } from "./kinds.mjs";

const CALL_SECONDS = 5;
/** A call that takes longer is not repeated, and one whose budget is longer has the time for it. */
const SLOW_SECONDS = 1;
const MOST_SECONDS = 40;
const SHAPES = ["distinct", "repeated", "ascending", "descending", "equal"];
const LARGEST = 1 << 17;
/** Nanoseconds of one call after which sizes stop growing. */
const LONG = 150_000_000;
const GROWTH_SECONDS = 6;
/** How many times as long as the calls after it a first call must take to look like work that is kept. */
const REMEMBERED = 20;
/** Nanoseconds of a first call below which it may be the compiler's work. */
const NOTABLE = 5_000_000;

/** Facts as in the module's text; what could not be measured carries its reason. */
export async function run(request) {
  const hasPrevious = typeof request.previous === "string";
  if (hasPrevious) request.candidates = [{ source: request.source }, { source: request.previous }];
  const [subject, previous] = await built(request);
  const worker = new Worker(subject);
  try {
    const facts = { budgets: [], growth: null, regression: null, broken: null };
    for (const place of request.budgets.keys()) facts.budgets.push(await budget(worker, request, place));
    if (request.complexity !== null) facts.growth = await growth(worker, request);
    if (hasPrevious) facts.regression = await regression(worker, new Worker(previous), request);
    facts.broken = worker.broken;
    return facts;
  } finally {
    worker.stop();
  }
}

async function budget(worker, request, place) {
  const call = request.budgets[place];
  const slow = await slowly(worker, request, place);
  if (slow !== undefined) return { call, ...slow };
  const { figures, isRemembered } = await measured(worker, parts(request, place), ["15", "1.5"], CALL_SECONDS);
  return { call, ...(isRemembered ? ((await firsts(worker, request, parts(request, place))) ?? figures) : figures) };
}

/**
 * The figures of a slow call with a large budget, which is made once, and once more where it takes longer than that.
 * `undefined` when it can be measured as any other.
 */
async function slowly(worker, request, place) {
  const milliseconds = request.budget_milliseconds[place];
  if (milliseconds < SLOW_SECONDS * 1e3) return undefined;
  const seconds = Math.min(MOST_SECONDS, Math.max(CALL_SECONDS, (3 * milliseconds) / 1e3 + 2));
  const once = async () => read(await worker.ask(["once", ...parts(request, place)], seconds));
  const first = await once();
  if (first.error !== undefined) return first;
  if (first.wall[0] < SLOW_SECONDS * 1e9) return undefined;
  if (first.wall[0] <= milliseconds * 1e6) return first;
  await worker.ask(["reload"], CALL_SECONDS);
  const second = await once();
  return second.error === undefined ? { wall: [...first.wall, ...second.wall], cpu: [...first.cpu, ...second.cpu] } : first;
}

/** The figures of a call, and whether the later ones look up what the first has kept. */
async function measured(worker, call, how, seconds) {
  const first = read(await worker.ask(["once", ...call], seconds));
  if (first.error !== undefined) return { figures: first, isRemembered: false };
  const figures = read(await worker.ask(["time", ...call, ...how], seconds));
  const [cost] = first.cpu;
  const isRemembered = figures.error === undefined && cost >= NOTABLE && cost >= REMEMBERED * Math.min(...figures.cpu);
  return { figures, isRemembered };
}

/**
 * The figures of first calls, each of the file loaded anew and warmed up by the examples' calls: what is built once,
 * whatever the arguments, is no cost of this call. `undefined` when one fails.
 */
async function firsts(worker, request, call) {
  const others = callsOfExamples(new Plan(request)).filter(([, args]) => args !== call[1]).slice(0, 3);
  const figures = { wall: [], cpu: [] };
  for (let turn = 0; turn < 3; turn += 1) {
    await worker.ask(["reload"], CALL_SECONDS);
    for (const other of others) await worker.ask(["outcome", ...other], CALL_SECONDS);
    const one = read(await worker.ask(["once", ...call], CALL_SECONDS));
    if (one.error !== undefined) return undefined;
    figures.wall.push(...one.wall);
    figures.cpu.push(...one.cpu);
  }
  return figures;
}

/** Receiver and arguments of a call, so that making the arguments is not counted; else the whole expression. */
function parts(request, place) {
  const args = request.budget_calls[place];
  return args === null ? [request.budget_codes[place], ""] : ["", written(args)];
}

/** `{ wall: [ns], cpu: [ns] }` or `{ error }`. */
function read(answer) {
  if (answer[0] === "times") {
    const pairs = answer.slice(1).map((pair) => pair.split(" ").map(Number));
    return { wall: pairs.map(([wall]) => wall), cpu: pairs.map(([, cpu]) => cpu) };
  }
  return { error: { timeout: "timeout", invalid: "violates @requires" }[answer[0]] ?? answer.slice(0, 3).filter(Boolean).join(": ") };
}

/** The call with every container `size` long; without containers, every number `size`. */
function sized(plan, size, shape) {
  const rng = new Rng(size);
  const given = plan.params.filter((p) => p.kind !== undefined && !p.rest && !p.has_default);
  const hasContainers = given.some((p) => p.kind.scalable);
  return written(given.map((p) => p.kind.sized(rng, hasContainers && !p.kind.scalable ? size >> 1 : size, shape)));
}

function sizes(bound) {
  const found = [];
  if (bound === "Exponential") for (let n = 4; n < 27; n += 2) found.push(n);
  else for (let n = 4; n <= LARGEST; n *= 2) found.push(n);
  return found;
}

async function growth(worker, request) {
  const plan = new Plan(request);
  if (!plan.canGenerate() || !plan.canGrow()) return { points: [], reason: "no parameter whose size can grow" };
  const end = after(GROWTH_SECONDS);
  let shapes = SHAPES;
  let points = [];
  let stopped = null;
  let remembers = false;
  const callOf = (size, shape) => [plan.receivers[0], sized(plan, size, shape)];
  for (const size of sizes(request.complexity)) {
    let worst;
    for (const shape of shapes) {
      const { figures, isRemembered } = await measured(worker, callOf(size, shape), ["5", "0.3"], 2);
      if (isRemembered && !remembers) {
        remembers = true; // so did the smaller ones, too fast to be seen
        points = await again(worker, request, points, callOf);
      }
      const answer = remembers && figures.error === undefined ? ((await firsts(worker, request, callOf(size, shape))) ?? figures) : figures;
      if (answer.error === "timeout") {
        stopped = { size, why: "timeout" };
        break;
      }
      if (answer.error !== undefined) {
        // Not a valid input: `@requires`, or the code throws on it.
        shapes = shapes.filter((s) => s !== shape);
        if (shapes.length === 0) stopped = { size, why: answer.error };
        continue;
      }
      const cost = Math.min(...answer.cpu);
      if (worst === undefined || cost > worst[1]) worst = [size, cost, Math.min(...answer.wall), shape];
    }
    if (worst !== undefined && stopped?.why !== "timeout") points.push(worst);
    if (stopped !== null || worst?.[1] > LONG || left(end) <= 0) break;
  }
  return { points, stopped, reason: "" };
}

/** Points of the growth by first calls. */
async function again(worker, request, points, callOf) {
  const found = [];
  for (const [size, cost, wall, shape] of points) {
    const figures = await firsts(worker, request, callOf(size, shape));
    found.push(figures === undefined ? [size, cost, wall, shape] : [size, Math.min(...figures.cpu), Math.min(...figures.wall), shape]);
  }
  return found;
}

/** Both codes, measured in turns, on the calls that say most about the cost. */
async function regression(worker, before, request) {
  const plan = new Plan(request);
  const rows = [];
  try {
    for (const [receiver, args] of comparable(plan, request)) {
      const first = read(await before.ask(["time", receiver, args, "1", "0.3"], 2));
      const second = read(await worker.ask(["time", receiver, args, "1", "0.3"], 2));
      if (first.error !== undefined || second.error !== undefined) continue;
      const row = { call: `${request.function}${args}`, old: [], new: [] };
      for (let turn = 0; turn < 5; turn += 1) {
        row.old.push(...(read(await before.ask(["time", receiver, args, "2", "0.05"], 2)).cpu ?? []));
        row.new.push(...(read(await worker.ask(["time", receiver, args, "2", "0.05"], 2)).cpu ?? []));
      }
      rows.push(row);
    }
  } finally {
    before.stop();
  }
  return rows;
}

function comparable(plan, request) {
  const calls = [...request.budgets.keys()].map((place) => parts(request, place)).filter(([, args]) => args !== "");
  if (plan.canGenerate() && plan.canGrow()) calls.push([plan.receivers[0], sized(plan, 1000, "distinct")]);
  return [...calls, ...callsOfExamples(plan).slice(0, 2)].slice(0, 3);
}
