/** One loaded candidate: its function, the clauses of its spec, and what is noted while it is called. */
import { types } from "node:util";

import { Pretence } from "./pretence.mjs";
import { copied } from "./copies.mjs";
import { drained, isLazy } from "./lazy.mjs";
import { Missing, Realm } from "./realm.mjs";
import { called, constructed } from "./wrong.mjs";
import { errorName, errorText, same, show } from "./values.mjs";

const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys, setPrototypeOf } = Reflect;

/** A result that could make a comparison true by itself, or a built-in that was replaced. */
export class Untrusted extends Error {}

/** The file does not load: `[error, text, module]`. */
export class Load extends Error {
  constructor(parts) {
    super(parts[1]);
    this.parts = parts;
  }
}

const WAITS = /^async\b/;
const setTurn = setImmediate;
const { then } = Promise.prototype;

export class Subject {
  static async load(request, exit) {
    const subject = new Subject();
    subject.request = request;
    subject.way = 0; // in which way the function is to be wrong; 0 is in none
    subject.realm = new Realm(request.modules, exit);
    subject.realm.aliases = request.aliases;
    try {
      subject.evaluate = await subject.realm.load(request.entry);
    } catch (error) {
      throw new Load([errorName(error), errorText(error) || String(error?.message ?? ""), error instanceof Missing ? error.module : ""]);
    }
    subject.pretence = new Pretence(subject.realm.intrinsics, subject.realm.bridge.made, subject.evaluate);
    subject.find();
    subject.requires = request.requires.map((text) => subject.clause(text, [...request.binds]));
    subject.ensures = request.ensures.map((text) => subject.clause(text, ["result", ...request.binds]));
    subject.laws = request.properties.map((text) => subject.clause(text, ["result", ...request.binds]));
    subject.bind = subject.compile(request.binder);
    if (!request.uses.some((name) => name === "Error" || name === "Error.stack")) subject.realm.hideCallers();
    subject.realm.settle();
    // Where time is taken nothing is claimed, and holes of a list are slower below a frozen prototype.
    if (!request.timed) subject.realm.harden(request.uses);
    subject.fresh();
    return subject;
  }

  /** Finds the function: by its name, in the object that holds it, in the class that it is a method of, or as what the file exports. */
  find() {
    const { function: name, class: owner, is_static: isStatic, holder, field, whole } = this.request;
    this.isClass = name === "constructor";
    try {
      if (holder || (owner && isStatic)) this.home = this.object(holder ?? owner);
      if (owner && !holder && !isStatic && !this.isClass) this.above = this.evaluate(owner).prototype;
      if (whole) this.original = whole === "default" ? this.realm.exported.default : this.evaluate(whole);
      else if (this.home !== undefined) this.original = this.heldBy(this.home);
      else if (field || this.isClass) this.original = this.evaluate(owner);
      else if (owner) this.original = this.heldBy(this.above);
      else this.original = this.evaluate(name);
    } catch (error) {
      throw new Load([errorName(error), errorText(error), ""]);
    }
    if (typeof this.original !== "function") throw new Load(["TypeError", `${name} is not a function`, ""]);
    if (this.request.bare) this.guarded = this.guard(this.original, this.home);
  }

  /** The object that a path of the file leads to; no name of the file leads to what it exports by default. */
  object(path) {
    const [root, ...keys] = path.split(".");
    return root === "default" ? keys.reduce((at, key) => at[key], this.realm.exported.default) : this.evaluate(path);
  }

  /** The function that an object holds under the name. */
  heldBy(holder) {
    const { function: name, accessor } = this.request;
    const own = getOwnPropertyDescriptor(holder, name);
    return accessor ? own?.[accessor] : own?.value;
  }

  /** What a spec calls or takes of an object by the function's name; whatever is in its place now is watched in its stead. */
  member(object, isCalled, args) {
    const { function: name } = this.request;
    const found = object[name];
    if (typeof found !== "function") throw new TypeError(`${name} is not a function`);
    if (this.isOurs(object)) return isCalled ? apply(this.guard(found), object, args) : this.guard(found);
    if (!isCalled) return found;
    // An object of another kind has a function of this name too.
    const result = apply(found, object, args);
    this.unchanged();
    this.inspect(result);
    return result;
  }

  /** An object whose function may be called unseen: one in a field of its own is wrong where the function is to be. */
  seen(object) {
    const { function: name, field } = this.request;
    const own = this.way === 0 || !field || Object(object) !== object || types.isProxy(object) ? undefined : getOwnPropertyDescriptor(object, name);
    if (typeof own?.value === "function") Reflect.defineProperty(object, name, { ...own, value: this.guard(own.value) });
    return object;
  }

  /** Whether an object has the function: it is the one that holds it, or of the class. */
  isOurs(object) {
    for (let at = object, depth = 0; at !== null && at !== undefined && depth < 20; at = getPrototypeOf(Object(at)), depth += 1) {
      if (at === (this.home ?? this.above)) return true;
      if (types.isProxy(at)) return false;
    }
    return false;
  }

  /** Evaluates a function's text in the file; `undefined` when it does not parse. */
  compile(text) {
    try {
      return this.evaluate(`(${text})`);
    } catch {
      return undefined;
    }
  }

  /** An expression of the spec, with the given names bound when it is evaluated. */
  clause(text, names) {
    const own = this.request.bare ? [this.request.function] : [];
    const given = {
      __same: same,
      __call: (object, ...args) => this.member(object, true, args),
      __take: (object) => this.member(object, false),
      __seen: (object) => this.seen(object),
    };
    const taken = [...new Set([...own, ...ownKeys(given), ...names])];
    const inner = `((${taken.join(", ")}) => (${text})())`;
    let made;
    return {
      waits: WAITS.test(text),
      value: (bound) => {
        made ??= this.evaluate(inner);
        return apply(made, undefined, taken.map((name) => given[name] ?? (own.includes(name) ? this.guarded : bound[name])));
      },
    };
  }

  /** The value of an expression of the spec that binds nothing. */
  async value(text) {
    const { waits, value } = this.clause(text, []);
    const found = value({});
    return waits ? settled(found) : found;
  }

  /** Whether the function is known not to have been called since `fresh`; who reads a property or makes an object calls unseen. */
  get isUncalled() {
    return !this.entered && !this.isClass && !this.request.accessor && !this.isForStep;
  }

  fresh() {
    this.calls = [];
    this.entered = false;
    this.violated = undefined;
    this.pretender = undefined;
  }

  /** Arguments by parameter; `{}` when the call does not fit. */
  bound(args) {
    try {
      return this.bind === undefined ? {} : this.bind(...args);
    } catch {
      return {};
    }
  }

  /** The index of the first `@requires` clause that is false or throws, or `undefined`. */
  unmet(bound) {
    for (let i = 0; i < this.requires.length; i += 1) {
      const uses = this.request.requires_uses?.[i] ?? [];
      if (uses.some((name) => getOwnPropertyDescriptor(bound, name) === undefined)) continue;
      try {
        if (!this.requires[i].value(bound)) return i;
      } catch {
        return i;
      }
    }
    return undefined;
  }

  /** The function as expressions of the spec see it: calls are noted, `@requires` is watched. `home` is its object where a call names none. */
  guard(original, home) {
    const subject = this;
    const noted = function noted(...args) {
      subject.entered = true;
      const call = subject.describe(args);
      if (subject.requires?.length > 0) {
        const unmet = subject.unmet(subject.bound(args));
        if (unmet !== undefined) subject.violated ??= unmet;
      }
      const result = new.target === undefined ? subject.applied(original, this ?? home, args) : subject.made(original, args);
      subject.unchanged();
      subject.inspect(result);
      if (subject.calls.length < 3) subject.calls.push([call, result]);
      return subject.request.waits && types.isPromise(result) ? subject.watched(result) : result;
    };
    defineProperty(noted, "name", { value: this.request.function });
    defineProperty(noted, "length", { value: original.length });
    setPrototypeOf(noted, getPrototypeOf(original));
    for (const key of ownKeys(original)) {
      const own = getOwnPropertyDescriptor(original, key);
      if (!["name", "length", "arguments", "caller"].includes(key)) defineProperty(noted, key, { ...own, ...(key === "prototype" ? {} : { configurable: true }) });
    }
    return noted;
  }

  /** Refuses to go on with a built-in that is no longer what it was. */
  unchanged() {
    const tampered = this.realm.tampered();
    if (tampered === undefined) return;
    this.pretender ??= `a changed built-in (${tampered})`;
    throw new Untrusted(this.pretender);
  }

  /**
   * A promise of the same value, given on in a turn of its own: what the candidate has still to run has run before
   * this looks, and nothing of it runs between the look and the expression that waits.
   */
  watched(promise) {
    const { promise: given, resolve, reject } = this.realm.make.pending();
    const on = (use) => (value) =>
      setTurn(() => {
        try {
          this.unchanged();
          use(value);
        } catch (error) {
          reject(error);
        }
      });
    apply(then, promise, [on(resolve), on(reject)]);
    return given;
  }

  describe(args) {
    try {
      return `${this.request.function}(${args.map((a) => show(a)).join(", ")})`;
    } catch {
      return `${this.request.function}(...)`;
    }
  }

  /** What the calls of an example gave, for a message. */
  notes() {
    const calls = this.calls.map(([call, result]) => `${call} gave ${isLazy(result) ? "an iterator" : show(result)}`);
    const tampered = this.realm.tampered();
    if (tampered !== undefined) this.pretender ??= `a changed built-in (${tampered})`;
    return [this.violated === undefined ? "" : String(this.violated), this.pretender ?? "", calls.join("; ").slice(0, 3000)];
  }

  /** Refuses results that pretend; a class of the user's file is the user's business. */
  inspect(result) {
    this.pretender ??= this.pretence.of(result);
    if (this.pretender !== undefined) throw new Untrusted(this.pretender);
  }

  /** Reads an iterator, as far as it ends, and waits for the promise of a function that is declared to give one. */
  async finish(value, most) {
    let result = value;
    this.wasCut = false;
    if (types.isPromise(result) && this.request.waits) result = await settled(result);
    this.inspect(result);
    if (isLazy(result)) {
      const { items, wasCut } = await drained(this.realm.make.array(), result, settled, most);
      [result, this.wasCut] = [items, wasCut];
    }
    this.unchanged();
    return result;
  }

  /** The receiver and arguments of a call from their source. */
  prepare(receiver, args) {
    const own = this.request.bare ? this.request.function : "";
    const made = this.evaluate(`((${own}) => ((...__all) => __all)${args})`)(this.guarded);
    const list = [];
    for (let i = 0; i < made.length; i += 1) list.push(made[i]);
    const holder = receiver === "" ? this.home : this.evaluate(`(${receiver})`);
    return { holder, list };
  }

  /** Calls the function itself, unwatched. */
  call({ holder, list }) {
    if (this.isClass) return construct(this.original, list);
    return this.applied(this.request.field ? this.fieldOf(holder) : this.original, holder, list);
  }

  /** What a function gives, or a wrong one in its place. */
  applied(original, holder, args) {
    if (this.way === 0) return apply(original, holder, args);
    return called(this, (object, list) => apply(original, object, list), holder, args);
  }

  /** What a function makes by `new`, or what a wrong one makes. */
  made(original, args) {
    return this.way === 0 ? construct(original, args) : constructed(this, (list) => construct(original, list), args);
  }

  /** Runs something while the function is wrong, for the file's own code too where that can be. */
  async wronged(way, run) {
    const { function: name, bare, accessor } = this.request;
    const holder = this.home ?? this.above;
    const own = holder === undefined ? undefined : getOwnPropertyDescriptor(holder, name);
    const put = (value) => {
      // What is frozen stays what it is.
      if (own !== undefined) Reflect.defineProperty(holder, name, { ...own, [accessor ?? "value"]: value });
      try {
        if (bare) this.evaluate(`((__zeroerr_wrong) => { ${name} = __zeroerr_wrong; })`)(value);
      } catch {
        // A constant stays what it is.
      }
    };
    this.way = way;
    this.given = new Map(); // what a wrong one has given
    put(this.guarded ?? (own && this.guard(this.original, this.home)));
    try {
      return await run();
    } finally {
      put(this.original);
      this.way = 0;
    }
  }

  /** The function in a field of an object. */
  fieldOf(object) {
    const { function: name } = this.request;
    const found = typeof object === "object" && object !== null && !types.isProxy(object) ? getOwnPropertyDescriptor(object, name)?.value : undefined;
    if (typeof found !== "function") throw new TypeError(`${name} is not a function`);
    return found;
  }

  /** A copy of a value; `lost` collects what could not be copied. */
  copy(value, lost) {
    return copied(this.realm.make, value, lost);
  }
}

/** Waits for a promise while timers keep the process alive: one that never settles is a time-out. */
async function settled(promise) {
  const alive = setInterval(() => {}, 1 << 30);
  try {
    return await promise;
  } finally {
    clearInterval(alive);
  }
}
