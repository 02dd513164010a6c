/** For a test file that is a plain script: it has passed when it ran to its end. */
import path from "node:path";

import { reason, report } from "./reports.mjs";

const name = path.basename(process.env.ZEROERR_TEST);
report("start", name);
process.once("uncaughtException", (error) => {
  report("test", name, "failed", reason(error));
  report("done", "1", "");
});
// `process.exit` in the middle does not lead here.
process.once("beforeExit", (code) => {
  report("test", name, code === 0 ? "passed" : "failed", code === 0 ? "" : `it ended with exit code ${code}`);
  report("done", code === 0 ? "0" : "1", "");
});
