/**
 * Stays, with its tools loaded, and answers one question after the other:
 *
 *     node resident.mjs    with a socket for stdout
 *
 * A question is JSON behind its length (eight bytes, the lowest first), and so is an answer. It reads texts and
 * runs none of them. `{ "trouble": ... }` says that a process of its own must be asked.
 */
import { readSync, writeSync } from "node:fs";

const MODES = { lint: "./lint.mjs", types: "./compile.mjs" };

send(Buffer.from([0]));
for (;;) {
  const size = Number(exactly(8).readBigUInt64LE());
  const question = JSON.parse(exactly(size).toString("utf8"));
  let answer;
  try {
    const { run } = await import(MODES[question.mode]);
    answer = await run(question);
  } catch (error) {
    answer = { trouble: String(error) };
  }
  const said = Buffer.from(JSON.stringify(answer));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(said.length));
  send(Buffer.concat([head, said]));
}

/** So many bytes; the end of the socket is the end of us. */
function exactly(size) {
  const data = Buffer.alloc(size);
  for (let at = 0; at < size; ) {
    const read = readSync(1, data, at, size - at, null);
    if (read === 0) process.exit(0);
    at += read;
  }
  return data;
}

function send(data) {
  for (let at = 0; at < data.length; ) at += writeSync(1, data, at);
}
