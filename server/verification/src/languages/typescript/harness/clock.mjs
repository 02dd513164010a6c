/** Times calls in the worker: `["times", "WALL CPU", ...]` in nanoseconds per call, one entry per repetition. */
import { types } from "node:util";

import { errorName, errorText } from "./values.mjs";

const LONGEST_ROW = 400;
const ROW = 100_000;
const { threadCpuUsage } = process;
const cpuUsage = (threadCpuUsage ?? process.cpuUsage).bind(process);
const wallClock = process.hrtime.bigint;
const now = performance.now.bind(performance);

/**
 * The arguments are made, and copied for each run, outside the measured span. Without `args` the whole
 * expression in `receiver` is timed. Calls too short to time alone are timed in a row.
 */
export async function timed(subject, admitted, receiver, args, repeats, seconds) {
  let call;
  let once;
  if (args === "") {
    const clause = subject.clause(receiver, []);
    call = { list: [] };
    once = () => clause.value({});
  } else {
    call = admitted(subject, receiver, args)?.call;
    if (call === undefined) return ["invalid"];
    once = (list) => subject.call({ holder: call.holder, list });
  }
  const lost = [];
  for (const value of call.list) subject.copy(value, lost);
  // What cannot be copied is made anew.
  const copied = () => (lost.length > 0 ? subject.prepare(receiver, args).list : call.list.map((value) => subject.copy(value)));
  try {
    // The first runs are the interpreter's; what a user waits for is what the compiler made of them.
    const begin = now();
    let best = Infinity;
    for (let i = 0; i < 400 && now() - begin < 30; i += 1) best = Math.min(best, (await measured(once, [copied()]))[0]);
    const row = Math.max(1, Math.min(LONGEST_ROW, Math.floor(ROW / Math.max(1, best))));
    const times = [];
    const end = now() + Number(seconds) * 1e3;
    for (let i = 0; i < Number(repeats) && (times.length === 0 || now() < end); i += 1) {
      const lists = [];
      for (let k = 0; k < row; k += 1) lists.push(copied());
      times.push((await measured(once, lists)).map(Math.round).join(" "));
    }
    return ["times", ...times];
  } catch (error) {
    return ["raised", errorName(error), errorText(error)];
  }
}

/** The one call alone, which nothing has made faster: `["times", "WALL CPU"]`. */
export async function timedOnce(subject, admitted, receiver, args) {
  try {
    if (args === "") {
      const clause = subject.clause(receiver, []);
      return ["times", (await measured(() => clause.value({}), [[]])).map(Math.round).join(" ")];
    }
    const call = admitted(subject, receiver, args)?.call;
    if (call === undefined) return ["invalid"];
    return ["times", (await measured((list) => subject.call({ holder: call.holder, list }), [call.list])).map(Math.round).join(" ")];
  } catch (error) {
    return ["raised", errorName(error), errorText(error)];
  }
}

/** Mean wall and CPU nanoseconds of a row of calls, results used up. */
async function measured(once, lists) {
  const before = cpuUsage();
  const start = wallClock();
  for (let i = 0; i < lists.length; i += 1) {
    const result = once(lists[i]);
    if (types.isPromise(result)) await result;
    else if (types.isGeneratorObject(result)) while (!result.next().done);
  }
  const wall = Number(wallClock() - start);
  const after = cpuUsage();
  const cpu = (after.user + after.system - before.user - before.system) * 1e3;
  // The CPU clock ticks in microseconds: a short span is the wall clock's.
  const spent = wall < 20_000 || cpu === 0 ? wall : Math.min(cpu, wall);
  return [wall / lists.length, spent / lists.length];
}
