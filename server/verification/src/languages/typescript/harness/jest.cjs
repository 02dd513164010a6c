/** A reporter of jest that tells the judge what happened. It runs outside of the realm in which jest runs tests. */
const { reason, report } = require("./reports.mjs");

const OUTCOMES = { pending: "skipped", disabled: "skipped", todo: "skipped" };
// Colours, and the frame of code that jest puts below a message.
const plain = (text) => text.replace(/\u001b\[[\d;]*m/g, "").split("\n\n    at ")[0];

module.exports = class Reporter {
  onTestCaseStart(test, { fullName }) {
    report("start", fullName);
  }

  onTestResult(test, result) {
    for (const { ancestorTitles, title, status, failureMessages } of result.testResults) {
      const said = status === "failed" ? reason(plain(String(failureMessages[0] ?? ""))) : "";
      report("test", [...ancestorTitles, title].join(" > "), OUTCOMES[status] ?? status, said);
    }
    if (result.testExecError != null) report("test", "loading", "failed", reason(plain(String(result.testExecError.message ?? result.failureMessage))));
  }

  onRunComplete(contexts, { numFailedTests, numFailedTestSuites, numRuntimeErrorTestSuites }) {
    report("done", numFailedTests + numFailedTestSuites + numRuntimeErrorTestSuites > 0 ? "1" : "0", "");
  }
};
