/**
 * Runs candidate code and says what it does. Started by the server inside the sandbox.
 *
 *     node main.mjs   < request.json   > answer.json
 *     node main.mjs MODE SCRATCH FAST_CHECK FOLDER...   < request.json   > "!" and answer.json
 *
 * The second is started ahead: it loads what the mode needs, starts the first worker with the folders that it will
 * be able to read, says so, and only then reads what it is to judge.
 *
 * This process is the judge. It never loads candidate code, holds the expected values and the only
 * way to answer. Candidates run in worker processes (`worker.mjs`), which may not start programs or
 * threads, open an inspector, or read more than the copied project; each candidate stands in a realm
 * of its own, whose patched built-ins the worker's code never meets. Answers come over a pipe, behind
 * a key that is not in the realm's reach; whatever is not such an answer counts as a crash.
 *
 * What is defended against: a candidate that prints, exits, hangs, recurses, allocates, patches
 * built-ins, changes its arguments, keeps state, returns proxies and objects that convert themselves
 * to what a comparison wants. None of it can turn a failed check into a passed one. What is not: a
 * hole in V8 or in Node's permission model; then the sandbox around both processes is what is left.
 */
import { readFileSync, writeSync } from "node:fs";

const MODES = {
  judge: "./gate.mjs",
  questions: "./questions.mjs",
  contracts: "./contracts.mjs",
  properties: "./laws.mjs",
  tests: "./project.mjs",
  performance: "./timing.mjs",
  lint: "./lint.mjs",
};

const [mode, scratch, fastCheck, ...readable] = process.argv.slice(2);
if (mode !== undefined) {
  const { startAhead } = await import("./judge.mjs");
  startAhead(scratch, readable);
  await import(MODES[mode]);
  if (fastCheck !== "") await import(fastCheck);
  writeSync(1, "!");
}
const request = JSON.parse(readFileSync(0, "utf8"));
const { run } = await import(MODES[request.mode]);
const answer = await run(request);
answer.nonce = request.nonce;
answer.node = process.versions.node;
let data = Buffer.from(JSON.stringify(answer));
while (data.length > 0) {
  try {
    data = data.subarray(writeSync(1, data));
  } catch (error) {
    if (error.code !== "EAGAIN") throw error;
  }
}
process.exit(0);
