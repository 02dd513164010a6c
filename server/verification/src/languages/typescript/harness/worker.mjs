/**
 * What a worker does: it loads one candidate and answers one job after the other. Every answer is a
 * list of texts, the first of which says what happened. The worker never learns what an example
 * expects when that can be said without the file: the judge compares.
 */
import { KEY_SIZE, readExactly, receive, send } from "./channel.mjs";
import { isStill } from "./copies.mjs";
import { isLazy, MOST, nearer } from "./lazy.mjs";
import { Load, Subject, Untrusted } from "./subject.mjs";
import { bounded, equality, errorName, errorNames, errorText, reason, same, show } from "./values.mjs";
import { refusedShadow } from "./pretence.mjs";
import { answered } from "./answers.mjs";
import { timed, timedOnce } from "./clock.mjs";

const JOBS = 3;
const ANSWERS = 4;
const leave = process.reallyExit.bind(process);
const setTimer = setInterval;
/** How a clause counts. */
const LENGTH = /\blength\b|\bsize\b/;

/** A thrown value as an answer: its name, all its names, its text. */
function raised(error) {
  if (error instanceof Untrusted) return ["untrusted", error.message];
  const refused = refusedShadow(errorName(error), errorText(error));
  if (refused !== undefined) return ["untrusted", refused];
  return ["raised", errorName(error), errorNames(error).join(" "), errorText(error)];
}

/** Whether a claim that was evaluated says nothing of the function; calls behind `?.` are not seen. */
function isUncalled(subject, code) {
  return subject.isUncalled && !code.includes("?.");
}

/** `f(ARGS) === EXPECTED`; `right` is empty when the judge knows the expected value itself. */
async function equation(subject, left, right) {
  try {
    const expected = right === "" ? undefined : await subject.finish(await subject.value(right));
    subject.fresh();
    const result = await subject.finish(await subject.value(left));
    if (isUncalled(subject, left)) return ["uncalled", subject.request.function, ...subject.notes()];
    const [text, opaque] = equality(result);
    const answer = ["value", text, show(result), opaque ? "opaque" : ""];
    if (right !== "") {
      reason();
      answer.push(same(result, expected) ? "same" : "differs", `${show(expected)}${reason()}`);
    }
    return [...answer, ...subject.notes()];
  } catch (error) {
    return [...raised(error), ...subject.notes()];
  }
}

/** An expression that must be true. */
async function holds(subject, code) {
  reason();
  try {
    const value = await subject.finish(await subject.value(code));
    if (isUncalled(subject, code)) return ["uncalled", subject.request.function, ...subject.notes()];
    const isTrue = value === true || (typeof value !== "object" && typeof value !== "function" && Boolean(value));
    const [violates, pretender, calls] = subject.notes();
    return [isTrue ? "true" : "false", show(value), violates, pretender, `${calls}${isTrue ? "" : reason()}`];
  } catch (error) {
    return [...raised(error), ...subject.notes()];
  }
}

/** Code that must throw; the answer says what it did. */
async function raises(subject, code) {
  try {
    const value = await subject.finish(await subject.value(code));
    return ["value", "", show(value), "", ...subject.notes()];
  } catch (error) {
    if (isUncalled(subject, code)) return ["uncalled", subject.request.function, ...subject.notes()];
    return [...raised(error), ...subject.notes()];
  }
}

/** Arguments of a call, or `undefined` outside `@requires`. */
function admitted(subject, receiver, args) {
  try {
    const call = subject.prepare(receiver, args);
    const bound = subject.bound(call.list);
    return subject.unmet(bound) === undefined ? { call, bound } : undefined;
  } catch {
    return undefined;
  }
}

function valid(subject, receiver, args) {
  return [admitted(subject, receiver, args) === undefined ? "invalid" : "valid"];
}

/** The fingerprint's view of a call: `["outcome", text]`, or `["invalid"]`. */
async function outcome(subject, receiver, args) {
  const found = admitted(subject, receiver, args);
  if (found === undefined) return ["invalid"];
  const { call, bound } = found;
  const names = call.list.length > 0 && Object.keys(bound).length === 0 ? call.list.map((_, i) => `argument ${i + 1}`) : undefined;
  const shown = () => {
    const all = names === undefined ? Object.entries(bound) : names.map((name, i) => [name, call.list[i]]);
    if (call.holder !== undefined && typeof call.holder === "object") all.push(["this", call.holder]);
    return all.filter(([, value]) => !isLazy(value)).map(([name, value]) => [name, show(value)]);
  };
  const before = new Map(shown());
  let text;
  try {
    text = `= ${show(await subject.finish(subject.call(call)))}`;
  } catch (error) {
    if (error instanceof Untrusted) throw error;
    text = `! ${errorName(error)}`;
  }
  for (const [name, after] of shown()) if (before.get(name) !== after) text += `; mutates ${name} -> ${after}`;
  return ["outcome", bounded(text)];
}

/**
 * Checks `@ensures` for one call: `["holds", how many]`, `["invalid"]`, `["ensures", index, result]`,
 * `["ensures-raised", index, error, text, result]` or `["raised", ...]`.
 */
async function contract(subject, receiver, args) {
  let found;
  try {
    found = await after(subject, receiver, args);
  } catch (error) {
    return raised(error);
  }
  if (found === undefined) return ["invalid"];
  const { names, others } = found;
  const shown = show(names.result);
  for (let i = 0; i < subject.ensures.length; i += 1) {
    reason();
    const why = await unmet(subject, i, names);
    if (why === undefined) continue;
    const said = reason();
    // How many there are is not known where not all were read.
    if (subject.wasCut && LENGTH.test(subject.request.ensures[i])) return ["invalid"];
    if (others !== undefined && (await unmet(subject, i, others)) === undefined) return ["invalid"];
    return why === "" ? ["ensures", String(i), `${shown}${said}`] : ["ensures-raised", String(i), ...why, shown];
  }
  const tampered = subject.realm.tampered();
  return tampered === undefined ? ["holds", String(subject.ensures.length)] : ["untrusted", `a changed built-in (${tampered})`];
}

/** Why a clause does not hold: `""`, or what it raised; `undefined` where it does. */
async function unmet(subject, index, names) {
  try {
    const { value, waits } = subject.ensures[index];
    const found = value(names);
    return (waits ? await found : found) ? undefined : "";
  } catch (error) {
    return [errorName(error), errorText(error).slice(0, 200)];
  }
}

/**
 * What clauses see after a call: the result and the parameters; `undefined` where it is not valid.
 *
 * A parameter that the call left as it was is the argument itself, so that a clause may ask whether the result is one of
 * its items; else it is a copy from before. What cannot be copied is made anew. It is another object then, so a clause that
 * holds of the argument alone (`others`) says nothing.
 */
async function after(subject, receiver, args) {
  const found = admitted(subject, receiver, args);
  if (found === undefined) return undefined;
  const before = {};
  const lost = [];
  for (const [name, value] of Object.entries(found.bound)) {
    const own = [];
    before[name] = subject.copy(value, own);
    if (own.length > 0) lost.push(name);
  }
  const anew = lost.length === 0 ? {} : (admitted(subject, receiver, args)?.bound ?? {});
  const most = (subject.reach ??= MOST);
  const result = await subject.finish(subject.call(found.call), most);
  if (subject.wasCut) subject.reach = nearer(most);
  const names = { result };
  for (const [name, value] of Object.entries(found.bound)) names[name] = isStill(value, before[name]) ? value : before[name];
  if (lost.length === 0) return { names };
  const others = { ...names };
  for (const name of lost) names[name] = anew[name] ?? before[name];
  return { names, others };
}

/** The clauses of `@ensures` that do not hold for one call: `["unheld", "0 2"]`, or `["invalid"]`. */
async function unheld(subject, receiver, args) {
  const seen = await after(subject, receiver, args);
  if (seen === undefined) return ["invalid"];
  const found = [];
  for (let i = 0; i < subject.ensures.length; i += 1) {
    if ((await unmet(subject, i, seen.names)) !== undefined) found.push(i);
  }
  return ["unheld", found.join(" ")];
}

/** Another job, done with a function that is wrong in some way; nothing is known where it was not called. */
async function wronged(subject, way, job, ...rest) {
  if (subject.isClass) return ["unknown", "", ""];
  const answer = await subject.wronged(Number(way), () => HANDLERS[job](subject, ...rest));
  return job === "unheld" || subject.entered || answer[0] === "invalid" ? answer : ["unknown", "", ""];
}

/** Evaluates one `@property` with its variables bound: `["true"]`, `["false"]`, `["invalid"]`. */
async function law(subject, index, args) {
  let bound;
  try {
    const call = subject.prepare("", args);
    bound = subject.bound(call.list);
    if (subject.unmet(bound) !== undefined) return ["invalid"];
  } catch {
    return ["invalid"];
  }
  subject.fresh();
  let answer;
  reason();
  try {
    const value = await subject.finish(await subject.laws[Number(index)].value(bound));
    answer = value === true ? ["true"] : ["false", reason()];
  } catch (error) {
    answer = raised(error);
  }
  // The law itself calls the function outside its domain.
  if (subject.violated !== undefined) return ["invalid"];
  return [...answer, ...subject.notes()];
}

/** Another job, which need not call the function: what a spec claims of a step is about that. */
async function onStep(subject, ...job) {
  subject.isForStep = true;
  try {
    return await HANDLERS[job[0]](subject, ...job.slice(1));
  } finally {
    subject.isForStep = false;
  }
}

const HANDLERS = {
  on_step: onStep,
  equation,
  holds,
  raises,
  valid,
  outcome,
  contract,
  unheld,
  law,
  as: wronged,
  answer: (subject, ...job) => answered(subject, admitted, ...job),
  time: (subject, ...job) => timed(subject, admitted, ...job),
  once: (subject, ...job) => timedOnce(subject, admitted, ...job),
};

async function serve() {
  const key = readExactly(JOBS, KEY_SIZE);
  const request = JSON.parse(receive(JOBS, key)[0]);
  const reply = (parts) => send(ANSWERS, key, parts);
  const leaving = (code) => leave(Number(code) || 0);
  let subject;
  try {
    subject = await Subject.load(request, leaving);
  } catch (error) {
    if (!(error instanceof Load)) throw error;
    reply(["broken", ...error.parts]);
    return;
  }
  reply(["ready"]);
  for (let job = receive(JOBS, key); job !== undefined; job = receive(JOBS, key)) {
    subject.fresh();
    try {
      if (job[0] === "reload") {
        subject = await Subject.load(request, leaving);
        reply(["ready"]);
        continue;
      }
      reply(await HANDLERS[job[0]](subject, ...job.slice(1)));
    } catch (error) {
      reply(raised(error));
    }
  }
}

// The process stays while a candidate's promise is waited for.
setTimer(() => {}, 1 << 30);
serve().then(
  () => leave(0),
  (error) => {
    if (process.env.ZEROERR_HARNESS_DEBUG) process._rawDebug(error);
    leave(70);
  },
);
