/** Where a specifier may lead, as TypeScript and bundlers see it. */
import path from "node:path";

const ENDINGS = ["", ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".json", "/index.ts", "/index.tsx", "/index.js", "/index.mjs"];
/** What may stand where another ending was written. */
const WRITTEN = { ".js": [".ts", ".tsx"], ".jsx": [".tsx"], ".mjs": [".mts"], ".cjs": [".cts"] };

/** Files that a path without a sure ending may mean, the likeliest first. */
export function candidates(base) {
  const ending = path.extname(base);
  const written = (WRITTEN[ending] ?? []).map((other) => base.slice(0, -ending.length) + other);
  return [...written, ...ENDINGS.map((e) => base + e)];
}

/** What `paths` and `baseUrl` of the project's tsconfig make of a bare specifier. */
export function aliased(aliases, specifier) {
  const found = [];
  for (const [pattern, targets] of aliases) {
    const [head, tail] = pattern.split("*");
    const fits = tail === undefined ? specifier === pattern : specifier.startsWith(head) && specifier.endsWith(tail);
    if (fits) found.push(...targets.map((t) => t.replace("*", specifier.slice(head.length, specifier.length - (tail ?? "").length))));
  }
  return found;
}
