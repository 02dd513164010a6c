/**
 * The judge's side: it starts workers, gives them jobs and takes no answer on trust. A worker that
 * hangs is killed with everything in its group, one that dies has crashed, and either way the next
 * job gets a fresh one.
 */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { newKey, packed, unpacked } from "./channel.mjs";

const LOAD_SECONDS = 5;
/** Milliseconds in which most calls are answered: what they use up is not looked at. */
const SOON = 20;
/** How many times its limit a call may take while it waits for a busy machine. */
const PATIENCE = 5;
const TICK = 100;
/** Jobs that are sent before the first of them is answered. */
const AHEAD = 64;
const HERE = path.dirname(fileURLToPath(import.meta.url));
const CLOSED = "it closed the harness's channel";
let started = 0;
/** The worker that was started before its subject was known: whom it may serve, and itself. */
let ahead;
const WROTE = "the candidate wrote to the harness's channel";

/** Starts the first worker before there is a subject for it. It waits for its key, and knows nothing of a candidate. */
export function startAhead(scratch, readable) {
  // Node looks whether a path is a folder when it is told that it may be read.
  for (const folder of readable) if (folder.startsWith(scratch)) mkdirSync(folder, { recursive: true });
  ahead = { serves: JSON.stringify([scratch, readable]), ...launched(scratch, readable) };
}

/** The worker that was started ahead, when it is one for this subject; else it is of no use. */
function taken(scratch, readable) {
  const { serves, ...worker } = ahead ?? {};
  ahead = undefined;
  if (worker.child === undefined || serves === JSON.stringify([scratch, readable])) return worker;
  end(worker.child);
  return {};
}

/** A new process that waits for its key; what it has said and how it ended. */
function launched(scratch, readable) {
  // A folder for each: what one leaves behind is no input of another.
  started += 1;
  const work = path.join(scratch, "work", String(started));
  mkdirSync(work, { recursive: true });
  const flags = [
    "--no-warnings",
    "--frozen-intrinsics",
    "--experimental-vm-modules",
    "--disable-sigusr1",
    "--unhandled-rejections=none",
    "--max-old-space-size=768",
    "--permission",
    ...[HERE, work, ...readable].map((folder) => `--allow-fs-read=${folder}`),
    `--allow-fs-write=${work}`,
  ];
  const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"];
  const env = { TZ: "UTC", LANG: "C.UTF-8", NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? "" };
  const child = spawn(process.execPath, [...flags, path.join(HERE, "worker.mjs")], { stdio, env, cwd: work, detached: true });
  const state = { bytes: new Uint8Array(0), broken: false, ended: undefined, wake: () => {} };
  child.stdio[4].on("data", (data) => {
    state.bytes = state.bytes.length === 0 ? data : Buffer.concat([state.bytes, data]);
    state.wake();
  });
  child.stdio[3].on("error", () => {});
  child.stdio[4].on("error", () => {});
  child.on("error", (error) => {
    state.ended = error.message;
    state.wake();
  });
  child.on("close", (code, signal) => {
    state.ended = signal === null ? `the process exited with code ${code}` : `killed by ${signal}`;
    state.wake();
  });
  return { child, state };
}

/** Kills a worker and all that it started in its process group. */
function end(child) {
  for (const pid of [-child.pid, child.pid]) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
  }
  child.stdio[3].destroy();
  child.stdio[4].destroy();
  child.unref();
}

/** A child process that holds one loaded candidate. */
export class Worker {
  constructor(subject) {
    this.subject = subject;
    this.child = undefined;
    this.broken = null;
  }

  /** The answer to one job, or `["timeout"]`, `["crash", how]`, `["broken", error, text, module]`. */
  async ask(job, seconds) {
    return (await this.askAll([job], seconds).next()).value;
  }

  /**
   * The answers to many jobs, in their order; `seconds` as in `ask`, or a function of none. Some jobs are sent ahead,
   * so that neither side waits for its turn at every one. A job that hangs or crashes takes only itself along:
   * what was sent behind it is asked again of the next worker.
   */
  async *askAll(jobs, seconds) {
    const limit = typeof seconds === "function" ? seconds : () => seconds;
    const ahead = [];
    let at = 0;
    try {
      while (at < jobs.length || ahead.length > 0) {
        if (ahead.length <= AHEAD / 2 && at < jobs.length) {
          const more = jobs.slice(at, at + AHEAD - ahead.length);
          at += more.length;
          ahead.push(...more);
          if (this.child !== undefined) this.sendAll(more);
        }
        yield await this.next(ahead, limit);
      }
    } finally {
      if (ahead.length > 0) this.stop(); // those answers must not be taken for later ones
    }
  }

  /** The answer to the first of the jobs ahead; a worker that is started anew is sent all of them. */
  async next(ahead, limit) {
    const isNew = this.child === undefined;
    if (this.broken || (isNew && !(await this.isReady()))) {
      ahead.shift();
      return this.broken;
    }
    if (isNew) this.sendAll(ahead);
    ahead.shift();
    return this.answer(limit());
  }

  async isReady() {
    const hello = await this.start();
    if (hello[0] === "ready") return true;
    this.broken = hello[0] === "broken" ? hello : ["broken", hello[0], `loading the file: ${hello[1] ?? ""}`, ""];
    this.stop();
    return false;
  }

  /** Each write wakes the worker: many jobs are one. */
  sendAll(jobs) {
    this.child.stdio[3].write(Buffer.concat(jobs.map((job) => packed(this.key, job))));
  }

  /** Loads the subject into a process; `["ready"]`, or why not. */
  async start() {
    const { readable = [], scratch } = this.subject;
    const waiting = taken(scratch, readable);
    if (waiting.child !== undefined) {
      const hello = await this.load(waiting);
      // Whatever has become of it while it waited is not the candidate's doing.
      if (hello[0] === "ready" || hello[0] === "broken") return hello;
      this.stop();
    }
    return this.load(launched(scratch, readable));
  }

  load({ child, state }) {
    const key = newKey();
    Object.assign(this, { child, key, state });
    child.stdio[3].write(key);
    child.stdio[3].write(packed(key, [JSON.stringify(this.subject)]));
    return this.answer(LOAD_SECONDS);
  }

  async answer(seconds) {
    const { child, key, state } = this;
    const begin = performance.now();
    let spent;
    let end = begin + seconds * 1e3;
    for (;;) {
      const found = unpacked(state.bytes, key);
      if (found.broken) return this.crashed(WROTE);
      if (found.parts !== undefined) {
        state.bytes = found.rest;
        return isAnswer(found.parts) ? found.parts : this.crashed(WROTE);
      }
      if (state.ended !== undefined) return this.crashed(state.ended);
      if (spent === undefined && performance.now() - begin >= SOON) spent = usage(child.pid).cpu;
      const left = spent === undefined ? SOON : end - performance.now();
      if (left > 0) {
        await woken(state, left);
        continue;
      }
      const now = usage(child.pid);
      if (!now.runnable || now.cpu - spent >= seconds * 0.9 || end - begin >= seconds * PATIENCE * 1e3) {
        this.stop();
        return ["timeout"];
      }
      end += Math.max(100, (seconds - (now.cpu - spent)) * 1e3);
    }
  }

  crashed(how) {
    this.stop();
    return ["crash", how ?? CLOSED];
  }

  stop() {
    if (this.child !== undefined) end(this.child);
    this.child = undefined;
  }
}

/** Whether a message has the shape of an answer: a list of texts. */
function isAnswer(parts) {
  return Array.isArray(parts) && parts.length > 0 && parts.every((part) => typeof part === "string");
}

function woken(state, milliseconds) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    state.wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
}

/**
 * CPU seconds a process has used, and whether it wants more: on a busy machine a call is given the
 * time it is kept waiting. A process that sleeps has had its chance.
 */
function usage(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { cpu: (Number(fields[11]) + Number(fields[12])) / TICK, runnable: fields[0] === "R" };
  } catch {
    return { cpu: 0, runnable: false };
  }
}
