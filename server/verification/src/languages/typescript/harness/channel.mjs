/**
 * Messages between the judge and the process that runs candidate code: a secret key, a length, a list
 * of strings as JSON. What has another key or shape is a crash of the candidate, never an answer.
 */
import { randomBytes } from "node:crypto";
import { readSync, writeSync } from "node:fs";

export const KEY_SIZE = 16;
const HEAD = KEY_SIZE + 8;
const MAX_SIZE = 8 << 20;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const encode = encoder.encode.bind(encoder);
const decode = decoder.decode.bind(decoder);
const { parse, stringify } = JSON;
// What an import binds follows whoever changes the module: these two do not.
const [read, write] = [readSync, writeSync];

export function newKey() {
  return new Uint8Array(randomBytes(KEY_SIZE));
}

/** One message as bytes. */
export function packed(key, parts) {
  const body = encode(stringify(parts));
  const size = encode(body.length.toString(16).padStart(8, "0"));
  const message = new Uint8Array(HEAD + body.length);
  message.set(key, 0);
  message.set(size, KEY_SIZE);
  message.set(body, HEAD);
  return message;
}

/** The size of the body that a head announces, or -1 when it is none of ours. */
function announced(head, key) {
  for (let i = 0; i < KEY_SIZE; i += 1) {
    if (head[i] !== key[i]) return -1;
  }
  const size = Number.parseInt(decode(head.subarray(KEY_SIZE, HEAD)), 16);
  return size >= 0 && size <= MAX_SIZE ? size : -1;
}

/** Takes the first message out of `bytes`: `{ parts, rest }`, `{}` when it is not whole yet, `{ broken }`. */
export function unpacked(bytes, key) {
  if (bytes.length < HEAD) return {};
  const size = announced(bytes.subarray(0, HEAD), key);
  if (size < 0) return { broken: true };
  if (bytes.length < HEAD + size) return {};
  try {
    return { parts: parse(decode(bytes.subarray(HEAD, HEAD + size))), rest: bytes.subarray(HEAD + size) };
  } catch {
    return { broken: true };
  }
}

/** Reads exactly so many bytes, waiting for them; `undefined` when the other side is gone. */
export function readExactly(fd, count) {
  const data = new Uint8Array(count);
  let at = 0;
  while (at < count) {
    const got = read(fd, data, at, count - at, null);
    if (got === 0) return undefined;
    at += got;
  }
  return data;
}

/** The worker's side: waits for one message. */
export function receive(fd, key) {
  const head = readExactly(fd, HEAD);
  const size = head === undefined ? -1 : announced(head, key);
  const body = size < 0 ? undefined : readExactly(fd, size);
  return body === undefined ? undefined : parse(decode(body));
}

/** The worker's side: writes one message. */
export function send(fd, key, parts) {
  const message = packed(key, parts);
  let at = 0;
  while (at < message.length) at += write(fd, message, at, message.length - at);
}
