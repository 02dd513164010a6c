/** A reporter of mocha that tells the judge what happened in the one file that it asked for. */
const { reason, report } = require("./reports.mjs");

const asked = process.env.ZEROERR_TEST;

module.exports = class Reporter {
  constructor(runner) {
    let failed = 0;
    const name = (test) => test.titlePath().join(" > ");
    const isAsked = (test) => test.file === undefined || test.file === asked;
    const tell = (test, outcome, error) => {
      if (!isAsked(test)) return; // the project's configuration may name others
      if (outcome === "failed") failed += 1;
      report("test", name(test), outcome, outcome === "failed" ? reason(error) : "");
    };
    runner.on("test", (test) => report("start", name(test)));
    runner.on("pass", (test) => tell(test, "passed"));
    runner.on("pending", (test) => tell(test, "skipped"));
    runner.on("fail", (test, error) => tell(test, "failed", error));
    runner.on("end", () => report("done", failed > 0 ? "1" : "0", ""));
  }
};
