/** Lets Node load a project's files as its build would: TypeScript, and imports without an ending. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { registerHooks } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { aliased, candidates } from "./places.mjs";
import "./steady.mjs";

const { ZEROERR_ESBUILD: esbuild, ZEROERR_TSCONFIG: tsconfig, ZEROERR_ROOT: root } = process.env;
const aliases = JSON.parse(process.env.ZEROERR_ALIASES ?? "[]");
for (const name of Object.keys(process.env).filter((n) => n.startsWith("ZEROERR_") && n !== "ZEROERR_TEST")) delete process.env[name];
const isFile = (place) => existsSync(place) && statSync(place).isFile();
const LOADERS = { ".ts": "ts", ".mts": "ts", ".cts": "ts", ".tsx": "tsx", ".jsx": "jsx" };

function fileOf(specifier, parent) {
  if (!parent?.startsWith("file:") || parent.includes("/node_modules/")) return undefined;
  const isRelative = /^\.{1,2}(\/|$)/.test(specifier);
  const bases = isRelative ? [path.resolve(path.dirname(fileURLToPath(parent)), specifier)] : aliased(aliases, specifier);
  return bases.flatMap(candidates).find(isFile);
}

registerHooks({
  resolve(specifier, context, next) {
    const found = fileOf(specifier, context.parentURL);
    if (found === undefined) return next(specifier, context);
    // `require` knows no addresses.
    const place = context.conditions.includes("require") ? found : pathToFileURL(found).href;
    return { ...next(place, context), shortCircuit: true };
  },
  load(url, context, next) {
    const place = url.startsWith("file:") ? fileURLToPath(url) : "";
    const loader = LOADERS[path.extname(place)];
    if (loader === undefined || !place.startsWith(root)) return next(url, context);
    const options = [`--loader=${loader}`, "--target=node24", "--jsx=automatic", "--log-level=error", `--tsconfig-raw=${tsconfig}`];
    const isCommon = place.endsWith(".cts");
    const done = spawnSync(esbuild, isCommon ? [...options, "--format=cjs"] : options, { input: readFileSync(place), env: {} });
    if (done.status !== 0) throw new SyntaxError(String(done.stderr).trim().split("\n")[0]);
    return { format: isCommon ? "commonjs" : "module", source: done.stdout, shortCircuit: true };
  },
});
