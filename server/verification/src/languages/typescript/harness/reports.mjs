/** The test process's end of the judge's channel. The key is read before any test file is. */
import { KEY_SIZE, readExactly, send } from "./channel.mjs";

const CHANNEL = 3;
const key = readExactly(CHANNEL, KEY_SIZE);

export function report(...parts) {
  send(CHANNEL, key, parts);
}

/** The first lines of an error on one. */
export function reason(error) {
  const cause = error?.code === "ERR_TEST_FAILURE" && error.cause !== undefined ? error.cause : error;
  const text = typeof cause === "object" && cause !== null ? `${cause.name ?? "Error"}: ${cause.message ?? ""}` : String(cause);
  return text.split("\n").filter((line) => line.trim() !== "").slice(0, 6).join(" ").replace(/\s+/g, " ").slice(0, 400);
}
