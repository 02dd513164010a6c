/**
 * Mode `types` of the resident: what `tsc -p` says of one file, with TypeScript loaded and the declarations of
 * libraries and packages read before.
 *
 * The project's part is handed over as texts, and forgotten with the answer. Declarations that are kept lie in
 * folders that no candidate can write; they are read again when their time or size changes, and kept apart
 * by compiler options, since those decide how a text is read.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Options that say where things lie, not how a text is read. */
const PLACES = ["baseUrl", "configFile", "configFilePath", "paths", "pathsBasePath", "rootDirs", "typeRoots"];
const KEPT_OPTIONS = 2;

const kept = new Map();

/** Facts: `said`: per error `{ file, line, code, text }`, as `tsc` prints them, in its order. */
export function run({ tools, texts, config, folder, links, packages }) {
  const ts = createRequire(tools)("typescript");
  const files = new Files(ts, texts, dirname(tools), links, packages);
  const errors = [];
  const parsed = ts.getParsedCommandLineOfConfigFile(config, {}, {
    useCaseSensitiveFileNames: true,
    getCurrentDirectory: () => folder,
    fileExists: files.exists,
    readFile: files.read,
    readDirectory: () => [],
    directoryExists: files.isFolder,
    realpath: files.real,
    onUnRecoverableConfigFileDiagnostic: (error) => errors.push(error),
  });
  if (parsed !== undefined) errors.push(...checked(ts, files, parsed, folder));
  return { said: errors.filter((e) => e.category === ts.DiagnosticCategory.Error).map((e) => told(ts, e)), typescript: ts.version };
}

/** What `tsc` reports, found in the order in which it looks: the first kind of error hides the later ones. */
function checked(ts, files, parsed, folder) {
  const declarations = keptFor(parsed.options);
  const library = dirname(ts.getDefaultLibFilePath(parsed.options));
  if (!files.exists(join(library, "lib.d.ts"))) throw new Error(`${library} is not among the tools`);
  const host = {
    fileExists: files.exists,
    readFile: files.read,
    directoryExists: files.isFolder,
    getDirectories: files.folders,
    realpath: files.real,
    getSourceFile: (name, options) => files.source(name, options, declarations),
    getDefaultLibLocation: () => library,
    getDefaultLibFileName: (options) => join(library, ts.getDefaultLibFileName(options)),
    getCurrentDirectory: () => folder,
    getCanonicalFileName: (name) => name,
    useCaseSensitiveFileNames: () => true,
    jsDocParsingMode: ts.JSDocParsingMode.ParseForTypeErrors,
    getNewLine: () => "\n",
    writeFile: () => {},
  };
  const configFileParsingDiagnostics = ts.getConfigFileParsingDiagnostics(parsed);
  const program = ts.createProgram({ rootNames: parsed.fileNames, options: parsed.options, projectReferences: parsed.projectReferences, host, configFileParsingDiagnostics });
  const found = [...program.getConfigFileParsingDiagnostics(), ...program.getSyntacticDiagnostics()];
  if (found.length === configFileParsingDiagnostics.length) {
    found.push(...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics());
    if (found.length === configFileParsingDiagnostics.length) found.push(...program.getSemanticDiagnostics());
  }
  return ts.sortAndDeduplicateDiagnostics(found);
}

function told(ts, error) {
  const text = ts.flattenDiagnosticMessageText(error.messageText, "\n").split("\n")[0];
  if (error.file === undefined) return { file: "", line: 1, code: `TS${error.code}`, text };
  const { line } = ts.getLineAndCharacterOfPosition(error.file, error.start);
  return { file: error.file.fileName, line: line + 1, code: `TS${error.code}`, text };
}

/** The project's texts, and behind them the folders that may be read: the tools' and the packages'. */
class Files {
  constructor(ts, texts, tools, links, packages) {
    const inside = new Set();
    for (const name of Object.keys(texts)) for (let at = dirname(name); !inside.has(at); at = dirname(at)) inside.add(at);
    const place = (name) => {
      const link = packages ? links.find((one) => name === one || name.startsWith(`${one}/`)) : undefined;
      if (link !== undefined) return packages + name.slice(link.length);
      const may = [tools, packages].some((folder) => folder && (name === folder || name.startsWith(`${folder}/`)));
      return may ? name : undefined;
    };
    const of = (name, ask, otherwise) => {
      const real = place(name);
      return real === undefined ? otherwise : ask(real);
    };
    const has = (name) => Object.hasOwn(texts, name);
    this.exists = (name) => has(name) || of(name, ts.sys.fileExists, false);
    this.read = (name) => (has(name) ? texts[name] : of(name, (real) => ts.sys.readFile(real), undefined));
    this.isFolder = (name) => inside.has(name) || of(name, ts.sys.directoryExists, false);
    this.folders = (name) => of(name, ts.sys.getDirectories, []);
    this.real = (name) => of(name, ts.sys.realpath, name);
    this.source = (name, options, declarations) => {
      const real = has(name) ? undefined : place(name);
      if (real === undefined) return has(name) ? ts.createSourceFile(name, texts[name], options) : undefined;
      return known(ts, name, real, options, declarations);
    };
  }
}

/** What was read under these options; the kinds of options that were used last are kept. */
function keptFor(all) {
  const kind = JSON.stringify(Object.fromEntries(Object.entries(all).filter(([option]) => !PLACES.includes(option))));
  const files = kept.get(kind) ?? new Map();
  kept.delete(kind);
  kept.set(kind, files); // the one that was used last stands last
  for (const old of [...kept.keys()].slice(0, -KEPT_OPTIONS)) kept.delete(old);
  return files;
}

/** A declaration file as it was read before, unless it has changed. */
function known(ts, name, real, options, files) {
  const key = JSON.stringify([name, options.languageVersion ?? options, options.impliedNodeFormat, options.jsDocParsingMode]);
  const version = `${ts.sys.getModifiedTime(real)?.getTime()} ${ts.sys.getFileSize?.(real)}`;
  const before = files.get(key);
  if (before?.version === version) return before.source;
  const text = ts.sys.readFile(real);
  if (text === undefined) return undefined;
  const source = ts.createSourceFile(name, text, options);
  files.set(key, { version, source });
  return source;
}
