/** A reporter of node:test that tells the judge what happened. */
import { reason, report } from "./reports.mjs";

export default async function* reporter(events) {
  let failed = 0;
  const suites = [];
  for await (const { type, data } of events) {
    if (type === "test:start") {
      suites.length = data.nesting;
      suites[data.nesting] = data.name;
      report("start", suites.join(" > "));
    }
    if (type !== "test:pass" && type !== "test:fail") continue;
    suites.length = data.nesting;
    const isSuite = data.details?.type === "suite";
    const isFailure = type === "test:fail" && data.todo === undefined;
    // A suite fails with its tests, which have been told; one that fails by itself has none.
    if (isSuite && !(isFailure && data.details?.error?.failureType !== "subtestsFailed")) continue;
    if (isFailure && data.details?.error?.failureType === "subtestsFailed") continue;
    if (isFailure) failed += 1;
    const outcome = data.skip !== undefined ? "skipped" : data.todo !== undefined ? "xfailed" : isFailure ? "failed" : "passed";
    report("test", [...suites, data.name].join(" > "), outcome, isFailure ? reason(data.details?.error) : "");
  }
  report("done", failed > 0 ? "1" : "0", "");
  yield "";
}
