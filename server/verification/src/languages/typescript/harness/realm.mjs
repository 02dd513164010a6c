/**
 * The realm in which a candidate runs: built-ins of its own, the globals of Node beside them, modules
 * linked by our own rules (the project's files as they were translated, Node's modules, packages).
 */
import { createRequire, isBuiltin } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";

import { Bridge } from "./bridge.mjs";
import { aliased, candidates } from "./places.mjs";
import { freezeAll, PAIRS, tame } from "./tamed.mjs";

const { apply, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const { freeze, isFrozen } = Object;
// Node's own, which every realm shares.
for (const shared of [URL, URLSearchParams, TextEncoder, TextDecoder, Buffer]) {
  freeze(shared);
  freeze(shared.prototype);
}
/** Modules whose functions are pure. */
const CLAIMED = ["assert", "assert/strict", "buffer", "path", "path/posix", "path/win32", "punycode", "querystring", "string_decoder", "url", "util", "util/types"];
/** What prototypes hold that no program gives to an object of its own. */
const PLAIN = ["constructor", "BYTES_PER_ELEMENT"];
const MAKERS = `({
  pending: ((P) => () => {
    let resolve, reject;
    const promise = new P((a, b) => ([resolve, reject] = [a, b]));
    return { promise, resolve, reject };
  })(Promise),
  // What claims are made of.
  words: Object.entries({ Object, Math, JSON, Reflect, Array, String, Number, Boolean, BigInt, Symbol, Date, Map, Set, WeakMap, WeakSet, RegExp, Promise, ArrayBuffer, Iterator, TypedArray: Object.getPrototypeOf(Uint8Array) }),
  array: () => [], object: () => ({}), map: ((M) => () => new M())(Map), set: ((S) => () => new S())(Set),
  error: Error,
  date: ((D) => (t) => new D(t))(Date),
  // Prototypes whose names programs give to fields of their own objects.
  shared: Object.entries({ Object, Function, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError }),
  pair: ${PAIRS},
  // What no name leads to.
  hidden: [function* () {}, async function () {}, async function* () {}, [].values(), new Map().entries(), new Set().values(), "".matchAll(/a/g), ""[Symbol.iterator](), [].values().map((x) => x)],
})`;

/** A module that cannot be found; `module` is the package that was asked for. */
export class Missing extends Error {
  constructor(specifier, from, module) {
    super(`cannot find ${specifier}, imported by ${path.basename(from)}`);
    this.module = module;
  }
}

export class Realm {
  /** `modules`: translated files by path, `{ text, cjs }`. */
  constructor(modules, exit) {
    this.modules = modules;
    this.loaded = new Map();
    this.global = vm.createContext(vm.constants.DONT_CONTEXTIFY);
    this.make = vm.runInContext(MAKERS, this.global);
    this.bridge = new Bridge(this.global, this.make.pending);
    this.settle();
    this.addGlobals(exit);
  }

  /** What Node adds to the language, taken from the outer realm when it is asked for. */
  addGlobals(exit) {
    this.names = [...new Set([...ownKeys(this.global), ...ownKeys(globalThis)])].filter((name) => typeof name === "string");
    for (const name of ownKeys(globalThis)) {
      if (getOwnPropertyDescriptor(this.global, name) !== undefined) continue;
      const get = () => this.ofNode(globalThis[name]);
      const set = (value) => defineProperty(this.global, name, { value, writable: true, configurable: true });
      defineProperty(this.global, name, { get, set, configurable: true, enumerable: false });
    }
    const silent = () => {};
    const console = Object.fromEntries(Object.keys(globalThis.console).map((name) => [name, silent]));
    const { platform, arch, version, versions, hrtime, memoryUsage, nextTick, uptime, cwd, pid, cpuUsage } = process;
    const stdio = { write: () => true, isTTY: false };
    const self = { platform, arch, version, versions, pid };
    for (const [name, asked] of Object.entries({ hrtime, memoryUsage, nextTick, uptime, cwd, cpuUsage })) self[name] = this.bridge.callable(asked);
    Object.assign(self, { env: {}, argv: ["node"], execArgv: [], stdout: stdio, stderr: stdio, exit, abort: exit, on: silent, once: silent, off: silent, emitWarning: silent });
    for (const [name, value] of Object.entries({ console, process: self, global: this.global })) {
      defineProperty(this.global, name, { value, writable: true, configurable: true });
    }
  }

  /** Something of Node's as the candidate sees it. Functions and classes stay as they are. */
  ofNode(value) {
    return typeof value === "function" ? frozen(this.bridge.callable(value)) : value;
  }

  /** The name of a built-in that is no longer what it was, or `undefined`. */
  tampered() {
    for (const [holder, kept] of this.watched) {
      if (kept.count >= 0 && ownKeys(holder).length !== kept.count) return kept.name;
      for (const [key, was] of kept.fields) {
        const now = getOwnPropertyDescriptor(holder, key);
        if (now === undefined || !Object.is(now.value, was.value) || now.get !== was.get || now.set !== was.set) {
          return `${kept.name}.${String(key)}`;
        }
      }
    }
    return undefined;
  }

  /** Who calls is in no error's text from now on: those that judge call otherwise than a program does. */
  hideCallers() {
    for (const made of [this.make.error, Error]) Reflect.set(made, "stackTraceLimit", 0);
  }

  /** Takes what is there now for what must stay: the user's own file may have added to it while it loaded. */
  settle() {
    this.intrinsics = new Map();
    collect(this.intrinsics, this.global, "", 0);
    for (const one of this.make.hidden) {
      const above = getPrototypeOf(one);
      collect(this.intrinsics, above, above.constructor?.name ?? "an iterator's prototype", 1);
      if (typeof one === "function") collect(this.intrinsics, getPrototypeOf(one.prototype ?? above), "Generator.prototype", 1);
    }
    this.watched = [...this.intrinsics];
  }

  /**
   * Makes the language's own methods what they are for good: what changes one and puts it back before anyone looks
   * is seen by nobody. `spared` names what the spec permits to be changed.
   */
  harden(spared) {
    const isSpared = (name) => spared.some((one) => one === name || one.startsWith(`${name}.`));
    for (const [name, word] of this.make.words) {
      if (isSpared(name)) continue;
      freezeAll(word);
      if (typeof word === "function" && name !== "Object") freezeAll(word.prototype);
      if (this.global[name] === word) defineProperty(this.global, name, { value: word, writable: false, configurable: false });
    }
    for (const one of this.make.hidden) if (typeof one !== "function") freezeAll(getPrototypeOf(one));
    for (const [name, word] of this.make.shared) if (!isSpared(name)) tame(word.prototype, this.make.pair);
    this.hardenRest(isSpared);
    for (const name of this.names) if (!isSpared(name)) this.settleName(name);
    this.watched = [...this.intrinsics].filter(([holder]) => !isFrozen(holder));
    // What cannot change need not be looked at again.
    for (const [holder, kept] of this.watched) kept.fields = kept.fields.filter(([key]) => canChange(getOwnPropertyDescriptor(holder, key)));
  }

  /** The same for what is left: methods, and constructors and prototypes that seldom anything is made of. */
  hardenRest(isSpared) {
    const open = new Set(this.make.shared.flatMap(([, word]) => [word, word.prototype]));
    for (const [holder, kept] of this.intrinsics) {
      if (holder === this.global || open.has(holder) || isFrozen(holder) || isSpared(kept.name)) continue;
      // What is no function is a prototype; only those of lists of bytes hold nothing but their size.
      if (typeof holder === "function" || ownKeys(holder).every((key) => PLAIN.includes(key))) freezeAll(holder);
      else tame(holder, this.make.pair);
    }
  }

  /** Makes a name of the language or of Node mean for good what it means now. */
  settleName(name) {
    const own = getOwnPropertyDescriptor(this.global, name);
    if (own === undefined || !own.configurable) return;
    const fixed = own.get === undefined ? { ...own, writable: false } : { ...own, set: undefined };
    defineProperty(this.global, name, { ...fixed, configurable: false });
  }

  /** Loads the entry; its accessor evaluates code where the file's own names are seen. */
  async load(entry) {
    const { text, cjs } = this.modules[entry];
    if (cjs) return this.loadCommon(entry, `${text}\n;return (__zeroerr) => eval(__zeroerr);`).value;
    const module = this.sourceModule(entry, `${text}\n;export const __zeroerr_eval = (__zeroerr) => eval(__zeroerr);`);
    await this.link(module);
    await module.evaluate();
    this.exported = module.namespace;
    return module.namespace.__zeroerr_eval;
  }

  sourceModule(file, text) {
    return new vm.SourceTextModule(text, {
      identifier: pathToFileURL(file).href,
      context: this.global,
      initializeImportMeta: (meta) => {
        meta.url = pathToFileURL(file).href;
        meta.filename = file;
        meta.dirname = path.dirname(file);
      },
      importModuleDynamically: async (specifier) => {
        const module = await this.find(specifier, file);
        if (module.status === "unlinked") await this.link(module);
        if (module.status === "linked") await module.evaluate();
        return module;
      },
    });
  }

  link(module) {
    return module.link((specifier, from) => this.find(specifier, fileOf(from)));
  }

  /** The module that a specifier means in a file. */
  async find(specifier, from) {
    const place = this.place(specifier, from);
    const key = place ?? specifier;
    if (!this.loaded.has(key)) this.loaded.set(key, this.module(specifier, place, from));
    return this.loaded.get(key);
  }

  async module(specifier, place, from) {
    if (place === undefined) {
      if (isBuiltin(specifier)) return this.synthetic(specifier, this.shared(specifier, await import(specifier)));
      const module = packageOf(specifier);
      if (specifier.startsWith(".") || specifier.startsWith("/")) throw new Missing(specifier, from, module);
      try {
        const found = createRequire(from).resolve(specifier);
        return this.synthetic(specifier, await import(pathToFileURL(found).href));
      } catch (error) {
        if (error.code === "MODULE_NOT_FOUND" || error.code === "ERR_MODULE_NOT_FOUND" || error.code === "ERR_ACCESS_DENIED") {
          throw new Missing(specifier, from, module);
        }
        throw error;
      }
    }
    const { text, cjs } = this.modules[place];
    if (place.endsWith(".json")) return this.synthetic(place, { default: this.parsed(text) });
    if (cjs) {
      const exports = this.loadCommon(place, text).exports;
      const names = typeof exports === "object" && exports !== null ? Object.fromEntries(Object.entries(exports)) : {};
      return this.synthetic(place, { ...names, default: exports });
    }
    return this.sourceModule(place, text);
  }

  /** What a module of Node exports; what claims may be made of stays what it is. */
  shared(specifier, module) {
    const isClaimed = CLAIMED.includes(specifier.replace(/^node:/, ""));
    if (isClaimed && !isFrozen(module.default)) freezeAll(module.default);
    const exports = {};
    for (const name of Object.keys(module)) {
      const value = this.bridge.space(module[name]);
      defineProperty(exports, name, { value, enumerable: true });
    }
    if (isClaimed && !isFrozen(exports.default)) freezeAll(exports.default);
    return exports;
  }

  synthetic(name, exports) {
    const names = Object.keys(exports);
    const module = new vm.SyntheticModule(
      names,
      function fill() {
        for (const name of names) this.setExport(name, exports[name]);
      },
      { identifier: name, context: this.global },
    );
    return module;
  }

  parsed(text) {
    return vm.runInContext("JSON.parse", this.global)(text);
  }

  /** A CommonJS file: `{ exports, value }`, the second what the text returns. */
  loadCommon(file, text) {
    const cached = this.loaded.get(`cjs ${file}`);
    if (cached !== undefined) return cached;
    const module = this.make.object();
    module.exports = this.make.object();
    const entry = { exports: module.exports, value: undefined };
    this.loaded.set(`cjs ${file}`, entry);
    const body = vm.compileFunction(text, ["exports", "require", "module", "__filename", "__dirname"], { filename: file, parsingContext: this.global });
    entry.value = apply(body, module.exports, [module.exports, this.requirer(file), module, file, path.dirname(file)]);
    entry.exports = module.exports;
    return entry;
  }

  requirer(file) {
    return (specifier) => {
      const place = this.place(specifier, file);
      if (place !== undefined) {
        return place.endsWith(".json") ? this.parsed(this.modules[place].text) : this.loadCommon(place, this.modules[place].text).exports;
      }
      try {
        const found = createRequire(file)(specifier);
        return isBuiltin(specifier) ? this.shared(specifier, { default: found }).default : found;
      } catch (error) {
        if (error.code === "MODULE_NOT_FOUND") throw new Missing(specifier, file, packageOf(specifier));
        throw error;
      }
    };
  }

  /** The project's file that a specifier means, if it is one. */
  place(specifier, from) {
    if (isBuiltin(specifier)) return undefined;
    const bases = specifier.startsWith(".") ? [path.resolve(path.dirname(from), specifier)] : aliased(this.aliases ?? [], specifier);
    return bases.flatMap(candidates).find((p) => getOwnPropertyDescriptor(this.modules, p) !== undefined);
  }
}

/** A class or function of Node's, which all realms share, as it stays. */
function frozen(value) {
  if (typeof value !== "function" || isFrozen(value)) return value;
  freeze(value);
  for (let at = value.prototype; typeof at === "object" && at !== null && !isFrozen(at); at = getPrototypeOf(at)) freezeAll(at);
  return value;
}

function fileOf(module) {
  return decodeURIComponent(new URL(module.identifier).pathname);
}

/** The package that a specifier names; a file's own path is named whole. */
function packageOf(specifier) {
  if (/^[./]/.test(specifier)) return specifier;
  const parts = specifier.split("/");
  return specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
}

/** Whether a field can still become another; one that is gone has changed already. */
const canChange = (own) => own === undefined || own.configurable || own.writable === true;

/** The built-in objects below a global and what they hold. */
function collect(found, holder, name, depth) {
  if (found.has(holder) || depth > 4) return;
  const fields = [];
  found.set(holder, { name: name || "globalThis", count: 0, fields });
  for (const key of ownKeys(holder)) {
    const own = getOwnPropertyDescriptor(holder, key);
    // The global object itself may be given new names by sloppy code; its built-in names may not change.
    const isLanguage = depth > 0 || (own.get === undefined && typeof own.value === "function") || key === "Math" || key === "JSON" || key === "Reflect";
    if (!isLanguage) continue;
    fields.push([key, own]);
    const value = own.value;
    if ((typeof value === "function" || typeof value === "object") && value !== null && key !== "constructor") {
      collect(found, value, name === "" ? String(key) : `${name}.${String(key)}`, depth + 1);
    }
  }
  const kept = found.get(holder);
  kept.count = depth > 0 ? ownKeys(holder).length : -1;
  const above = depth > 0 ? getPrototypeOf(holder) : null;
  if (above !== null && typeof above === "object") collect(found, above, `${name}'s prototype`, depth + 1);
}
