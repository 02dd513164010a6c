/**
 * Mode `lint`: eslint-plugin-security on one or two texts. Types are blanked out where that keeps every
 * line and column; what cannot be blanked out is read by typescript-eslint's parser, which is slow to load.
 */
import { createRequire, stripTypeScriptTypes } from "node:module";

/**
 * Every `a[b]` is a finding of the first, and what it warns of needs a caller who chooses `b`. The second goes by names
 * alone: `token === other`.
 */
const LEFT_OUT = ["detect-object-injection", "detect-possible-timing-attacks"];
const IS_TYPED = /\.[mc]?tsx?$/;
const IS_PLAIN_TYPED = /\.[mc]?ts$/;

/** Facts: `texts`: per text a list of `{ rule, message, line }`. */
export async function run(request) {
  const tools = createRequire(request.tools);
  const { Linter } = tools("eslint/universal");
  const security = tools("eslint-plugin-security");
  const rules = Object.fromEntries(
    Object.keys(security.rules)
      .filter((name) => !LEFT_OUT.includes(name))
      .map((name) => [`security/${name}`, "error"]),
  );
  const linter = new Linter();
  const texts = request.texts.map((text) => {
    const { code, parser } = readable(tools, text, request.file);
    // Where elements can be written, `<T>(x: T) => x` opens one.
    const jsx = !IS_PLAIN_TYPED.test(request.file);
    const languageOptions = { ecmaVersion: "latest", sourceType: request.is_common ? "commonjs" : "module", parserOptions: { ecmaFeatures: { jsx } }, ...(parser === undefined ? {} : { parser }) };
    const config = [{ files: ["**/*.mjs", "**/*.ts", "**/*.tsx"], plugins: { security }, rules, languageOptions, linterOptions: { noInlineConfig: true } }];
    const found = linter.verify(code, config, { filename: parser === undefined ? "edited.mjs" : jsx ? "edited.tsx" : "edited.ts" });
    // What has no rule is about a comment that speaks to the project's own linter.
    const said = found.filter(({ ruleId, fatal }) => fatal || ruleId !== null);
    return said.map(({ ruleId, message, line, fatal }) => ({ rule: fatal ? "fatal" : ruleId.replace("security/", ""), message, line }));
  });
  return { texts, eslint: Linter.version };
}

function readable(tools, text, file) {
  if (!IS_TYPED.test(file)) return { code: text };
  if (!file.endsWith("x")) {
    try {
      return { code: stripTypeScriptTypes(text, { mode: "strip" }) };
    } catch {
      // Enums, namespaces and parameter properties are more than types.
    }
  }
  return { code: text, parser: tools("@typescript-eslint/parser") };
}
