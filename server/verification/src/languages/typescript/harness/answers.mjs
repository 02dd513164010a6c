/** What a call gives, in a form that can stand in a spec. Runs in the worker, beside the candidate. */
import { bounded, equality, errorName, show } from "./values.mjs";
import { Untrusted } from "./subject.mjs";

/**
 * `["value", key, text, source, scalar]`, `["raises", name]` or `["invalid"]`. Equal values have one
 * `key`. `source` evaluates to the value in the file and is empty when nothing does; `scalar` is set
 * for a finite number with a fraction.
 */
export async function answered(subject, admitted, receiver, args) {
  const found = admitted(subject, receiver, args);
  if (found === undefined) return ["invalid"];
  let result;
  try {
    result = await subject.finish(subject.call(found.call));
  } catch (error) {
    if (error instanceof Untrusted) throw error;
    return ["raises", errorName(error)];
  }
  const [known, , hidden] = equality(result);
  // Who cannot be told from another has a number of its own in each process.
  const key = hidden ? show(result) : known;
  const fraction = typeof result === "number" && Number.isFinite(result) && !Number.isInteger(result);
  return ["value", bounded(key), show(result), sourceOf(subject, result), fraction ? "float" : ""];
}

/** An expression that evaluates to the result in its file, or nothing. */
function sourceOf(subject, result) {
  const source = show(result, "source");
  try {
    return equality(subject.evaluate(`(${source})`))[0] === equality(result)[0] ? source : "";
  } catch {
    return "";
  }
}
