/** A reporter of vitest that tells the judge what happened. It runs beside vitest, not in the tests' process. */
import { reason, report } from "./reports.mjs";

export default class Reporter {
  onTestCaseReady(test) {
    report("start", test.fullName);
  }

  onTestCaseResult(test) {
    const { state, errors } = test.result();
    report("test", test.fullName, state, state === "failed" ? reason(errors?.[0]) : "");
  }

  onTestRunEnd(modules, errors) {
    let failed = errors.length;
    for (const module of modules) {
      for (const error of module.errors()) {
        failed += 1;
        report("test", "loading", "failed", reason(error));
      }
      if (!module.ok()) failed += 1;
    }
    for (const error of errors) report("test", "uncaught", "failed", reason(error));
    report("done", failed > 0 ? "1" : "0", "");
  }
}
