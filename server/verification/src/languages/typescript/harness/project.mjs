/**
 * Mode `tests`: every example in the file as it will be, then the project's own tests. They run in a child,
 * since test files import the candidate; reports come over the same kind of private channel as everything
 * else, so a candidate that ends the process has not passed.
 */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { built } from "./build.mjs";
import { newKey, unpacked } from "./channel.mjs";
import { doubt } from "./doubts.mjs";
import { after, examples, left } from "./gate.mjs";
import { Worker } from "./judge.mjs";

const EXAMPLE_SECONDS = 20;
const SUITE_SECONDS = 60;
const HERE = path.dirname(fileURLToPath(import.meta.url));
/** Frameworks by what a test file says of them. */
const NAMED = { node: /["']node:test["']/, vitest: /["']vitest["']/, jest: /["']@jest\/globals["']/, mocha: /["']mocha["']/ };
const OTHERS = /["'](ava|tape|bun:test|uvu|jasmine)["']/;
/** What a framework puts into a test file's scope. */
const GLOBALS = /^\s*(describe|it|test|suite)(\.\w+)?\s*\(/m;
const JEST_GLOBALS = /\bexpect\s*\(|\bjest\./;
/** Frameworks of the project's own packages, the first that is there first. */
const OF_PROJECT = ["jest", "vitest", "mocha"];

/** Facts: `examples` as in the gate; `project` with one entry per test, and how the run ended. */
export async function run(request) {
  const { suite } = request;
  const facts = { examples: [], broken: null, project: null };
  if (request.examples.length > 0) {
    const [subject] = await built(request);
    const worker = new Worker(subject);
    const end = after(EXAMPLE_SECONDS);
    facts.examples = await examples(worker, request, end);
    await doubt(worker, request, facts.examples, end);
    facts.broken = worker.broken;
    worker.stop();
  }
  if (suite.files.length === 0) return facts;
  const end = after(SUITE_SECONDS);
  facts.project = await allOf(request, suite.files, end);
  const passed = new Set(facts.project.tests.filter((t) => t.outcome === "passed").map((t) => t.file));
  // Where no example speaks for the function, its tests must: which of them could fail?
  if (passed.size > 0 && facts.examples.every((f) => f.hollow)) facts.hollow = await weighed(request, [...passed], end);
  const failed = new Set(facts.project.tests.filter((t) => t.outcome === "failed").map((t) => t.file));
  if (failed.size > 0 && suite.previous !== null) {
    // The same test files with the code that the edit replaces.
    writeFileSync(request.file, suite.previous);
    const before = await allOf(request, [...failed], end);
    // Only what fails in the same words, and not at the placeholder itself, was at fault before.
    const now = new Map(facts.project.tests.map((t) => [t.id, t.message]));
    const isOld = (t) => t.outcome !== "failed" || (t.message === now.get(t.id) && !t.message.includes(suite.marker));
    facts.before = { ...before, tests: before.tests.filter(isOld) };
    writeFileSync(request.file, request.source);
  }
  return facts;
}

/** The same test files with functions that give nothing of use, one after another. */
async function weighed(request, files, end) {
  const all = { tests: [], ended: "done", code: 0, text: "" };
  for (const text of request.suite.hollow) {
    writeFileSync(request.file, text);
    const one = await allOf(request, files, end);
    all.tests.push(...one.tests);
    if (one.ended !== "done") Object.assign(all, { ended: one.ended });
  }
  writeFileSync(request.file, request.source);
  return all;
}

/** Runs test files one after another, each by its own runner. */
async function allOf(request, files, end) {
  const all = { tests: [], ended: "done", code: 0, text: "" };
  for (const file of files) {
    const one = await suiteOf(request, file, end);
    all.tests.push(...one.tests.map((t) => ({ ...t, file })));
    if (one.ended === "done" && one.code <= 1) continue;
    Object.assign(all, { ended: one.ended, code: one.code, text: `${path.relative(request.root, file)}: ${one.text}` });
    if (left(end) <= 0) break;
  }
  return all;
}

function suiteOf(request, file, end) {
  const text = readFileSync(file, "utf8");
  const kind = frameworkOf(request, text);
  const { packages } = request.suite;
  const hooks = ["--import", path.join(HERE, "hooks.mjs")];
  const steady = { NODE_OPTIONS: `--import=${path.join(HERE, "steady.mjs")}` };
  if (OF_PROJECT.includes(kind) && packages[kind] === undefined) return unusable(`it needs ${kind}, which is not installed in node_modules`);
  switch (kind) {
    case "vitest":
      return child(request, file, [packages.vitest, "run", "--root", request.root, "--reporter", path.join(HERE, "vitest.mjs"), "--no-cache", "--no-coverage", "--pool=forks", file], end, steady);
    case "jest":
      return child(request, file, ["--experimental-vm-modules", packages.jest, "--ci", "--rootDir", request.root, "--reporters", path.join(HERE, "jest.cjs"), "--no-cache", "--no-watchman", "--coverage=false", "--runInBand", "--runTestsByPath", file], end, steady);
    case "mocha":
      return child(request, file, [...hooks, packages.mocha, "--reporter", path.join(HERE, "mocha.cjs"), "--no-parallel", "--no-color", "--exit", file], end);
    case "node":
      return child(request, file, [...hooks, "--test-reporter", path.join(HERE, "reporter.mjs"), "--test-reporter-destination", "stdout", file], end);
    case "script":
      return child(request, file, [...hooks, "--import", path.join(HERE, "script.mjs"), file], end);
    default:
      return unusable(`it is written for ${kind}; node:test, vitest, jest and mocha are run`);
  }
}

/** What a test file is written for: what it imports, else what the project has for tests that import nothing. */
function frameworkOf(request, text) {
  const named = Object.keys(NAMED).find((kind) => NAMED[kind].test(text));
  const other = OTHERS.exec(text)?.[1];
  if (named !== undefined || other !== undefined) return named ?? other;
  if (!GLOBALS.test(text)) return "script";
  const { packages, command } = request.suite;
  const isNamed = (kind) => new RegExp(`\\b${kind}\\b`).test(command);
  const there = OF_PROJECT.filter((kind) => packages[kind] !== undefined);
  return there.find(isNamed) ?? there[0] ?? OF_PROJECT.find(isNamed) ?? (JEST_GLOBALS.test(text) ? "jest" : "mocha");
}

const unusable = (text) => ({ tests: [], ended: "unusable", code: 99, text });

/** One run of one file. `{ tests, ended, code, text }`. */
function child(request, file, args, end, more = {}) {
  const key = newKey();
  const env = {
    TZ: "UTC",
    LANG: "C.UTF-8",
    NO_COLOR: "1",
    CI: "1",
    NODE_ENV: "test",
    PATH: path.dirname(process.execPath),
    HOME: request.scratch,
    TMPDIR: request.scratch,
    ZEROERR_ESBUILD: request.esbuild,
    ZEROERR_TEST: file,
    ZEROERR_ROOT: request.top,
    ZEROERR_ALIASES: JSON.stringify(request.aliases),
    ZEROERR_TSCONFIG: request.tsconfig,
    ...more,
  };
  return new Promise((resolve) => {
    const stdio = ["ignore", "ignore", "pipe", "pipe"];
    const made = spawn(process.execPath, ["--no-warnings", ...args], { cwd: request.root, env, stdio, detached: true });
    const tests = [];
    let [bytes, running, stderr, ended] = [Buffer.alloc(0), "", "", undefined];
    const finish = (how) => {
      if (ended !== undefined) return;
      ended = how;
      clearTimeout(timer);
      try {
        process.kill(-made.pid, "SIGKILL");
      } catch {
        // It is gone already.
      }
      resolve({ tests, code: -1, ...how });
    };
    const timer = setTimeout(() => finish({ ended: "timeout", text: running }), Math.max(0, left(end) * 1e3));
    made.stdio[3].on("data", (data) => {
      bytes = Buffer.concat([bytes, data]);
      for (let found = unpacked(bytes, key); ; found = unpacked(bytes, key)) {
        if (found.broken) return finish({ ended: "crash", text: "the candidate wrote to the harness's channel" });
        if (found.parts === undefined) return undefined;
        bytes = found.rest;
        const [kind, ...rest] = found.parts;
        if (kind === "start") [running] = rest;
        else if (kind === "test") tests.push({ id: `${path.relative(request.root, file)} > ${rest[0]}`, outcome: rest[1], message: rest[2] });
        else if (kind === "done") return finish({ ended: "done", code: Number(rest[0]), text: rest[1] ?? "" });
      }
    });
    made.stdio[3].on("error", () => {});
    made.stderr.on("data", (data) => {
      if (stderr.length < 1 << 16) stderr += data;
    });
    made.on("error", (error) => finish({ ended: "unusable", code: 99, text: error.message }));
    made.on("close", (code, signal) => finish(endedWith(code, signal, stderr, running, tests)));
    made.stdio[3].write(key);
  });
}

/** A child that ended without saying that it is done. A file that does not load is a failed test. */
function endedWith(code, signal, stderr, running, tests) {
  const error = stderr.split("\n").find((line) => /^\s*\w*Error\b/.test(line));
  if (code === 1 && error !== undefined && tests.length === 0) {
    tests.push({ id: "loading", outcome: "failed", message: error.trim().slice(0, 400) });
    return { ended: "done", code: 1, text: "" };
  }
  const how = signal === null ? `the process exited with code ${code}` : `killed by ${signal}`;
  return { ended: "crash", text: running === "" ? how : `${running}: ${how}` };
}
