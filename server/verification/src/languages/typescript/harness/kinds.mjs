/**
 * Kinds of values: what a type says a parameter can be. A kind knows its boundary values (`small`),
 * random values (`random`), values of a given size for timing (`sized`), large and odd ones (`far`, in rows of which
 * each asks more of the machine than the one before, see `far.mjs`) and a fast-check arbitrary, all as source text.
 */
const MASK = (1n << 64n) - 1n;
const WORDS = ['""', '"a"', '"ab"', '"aa"', '"Ab"', '"hello"', '"racecar"', '"Hello World"', '"a b  c"', '" x "', '"123"', '"-1"', '"a,b"', '"été"', '"日本"', '"A man, a plan"', '"🙂"', '"a\\nb"', '"\\ud83d"', '"constructor"', '"a\\r\\nb"', '"0123456789"', '"AZaz09"', '"\\t"', '"a\\tb"'];
/** Distinct for the first 2^m values of `i` modulo any 2^m: an odd multiplier permutes them. */
export const HASH = "Math.imul(i, 2654435761)";

/** xorshift64*: the same numbers in every Node, and nothing to import. */
export class Rng {
  constructor(seed) {
    this.state = ((BigInt(seed) * 0x9e3779b97f4a7c15n + 0x2545f4914f6cdd1dn) & MASK) || 1n;
  }

  below(count) {
    let x = this.state;
    x ^= x >> 12n;
    x = (x ^ (x << 25n)) & MASK;
    x ^= x >> 27n;
    this.state = x;
    return Number(((x * 0x2545f4914f6cdd1dn) & MASK) % BigInt(Math.max(1, count)));
  }
}

const unique = (items) => [...new Set(items)];

/** Whole numbers past what counts are; sums and products of two are exact. */
const GREAT = ["1000", "12345", "65536", "2147483648"];
const LONG = [40, 300];
const PRINTABLE = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
/** Words that are names of what every object has. */
const INHERITED = ['"constructor"', '"toString"', '"__proto__"'];

/** Who asks for a value: the spec names it or one beside it, so does the body, or nobody. */
export const WHO = ["spec", "body", "nobody"];

/** Values that ask more and more. */
export const row = (texts, who = "nobody") => ({ texts, who });

/** Rows of what follows from the numbers and texts that the spec and the body name. */
const named = (reach, write) => WHO.slice(0, 2).map((who) => row(write(reach[who]), who));

/** Rows of long values: those one longer than such numbers, and some much longer. */
function lengths(reach, write) {
  const whole = (numbers) => unique(numbers.filter((n) => Number.isInteger(n) && n > 1 && n <= 2000)).sort((a, b) => a - b);
  return [...named(reach, ({ numbers }) => whole(numbers).flatMap((n) => [n, n + 1]).map(write)), row(LONG.map(write))];
}

/** A number that is named, then those right beside it. */
function beside(number) {
  const digits = String(number).split(/[.e]/)[1]?.length ?? 0;
  const step = Number.isInteger(number) ? 1 : 10 ** -(digits + 1);
  return [number, number + step, number - step].map((n) => Number(n.toPrecision(15)));
}

/** One of the given texts. */
export class Fixed {
  constructor(texts) {
    this.texts = unique(texts);
    this.scalable = false;
  }

  small() {
    return this.texts;
  }

  random(rng) {
    return this.texts[rng.below(this.texts.length)];
  }

  sized(rng) {
    return this.random(rng);
  }

  /** An expression in `i` whose values look random: elements of a large container. */
  nth() {
    const texts = this.texts.slice(0, 16);
    return `[${texts.join(", ")}][(${HASH} >>> 0) % ${texts.length}]`;
  }

  far() {
    return [];
  }

  arbitrary(fc) {
    return fc.constantFrom(...this.texts);
  }
}

const HALVES = ["0.5", "2.5"];
const EXTREMES = ["NaN", "Infinity", "-Infinity", "2147483648", "9007199254740991"];

/**
 * Numbers: whole ones near the examples' magnitude first, since many functions loop `n` times. What is not
 * finite, or huge, comes where the spec speaks of such values (`extreme`): a spec that says `number`
 * and means a count would else be contradicted by every correct program. `fractions` come where the examples have
 * none, too.
 */
export class Num extends Fixed {
  constructor(hints = [], extreme = false, signed = false, near = [], fractions = false) {
    const numbers = hints.filter((h) => typeof h === "number" && Number.isFinite(h));
    const whole = !fractions && numbers.length > 0 && numbers.every(Number.isInteger);
    const values = ["0", "1", "2", "-1", "3", "5", "10", "0.5", "-3", "4", "7", "2.5", "12", "6", "-10", "8", "-0", "0.1", "100", "-7.25", "9", "11"];
    const usual = whole || fractions ? values.filter((v) => /^-?\d+$/.test(v) && (signed || v !== "-0")) : values;
    // Sums and products of these are exact: what is right is not refused for the digits that others lose.
    const kept = fractions ? [...HALVES, ...usual] : usual;
    const named = near.filter((n) => !whole || Number.isInteger(n));
    super([...kept.slice(0, 4), ...named.map(spelled), ...kept.slice(4, 6), ...(extreme ? EXTREMES.slice(0, 3) : []), ...kept.slice(6), ...(extreme ? EXTREMES.slice(3) : []), ...(fractions ? [] : named.flatMap(beside).map(spelled)), ...numbers.flatMap((h) => [h, h + 1, h - 1]).map(spelled)]);
    Object.assign(this, { whole: whole || fractions, extreme, near: fractions ? named : named.flatMap(beside) });
    this.top = Math.max(12, ...numbers.map(Math.abs).filter((n) => n < 1e9));
  }

  random(rng, size) {
    if (this.near.length > 0 && rng.below(4) === 0) return spelled(this.near[rng.below(this.near.length)]);
    const reach = Math.min(Math.ceil(this.top), 3 + size * size);
    const value = rng.below(2 * reach + 1) - (reach >> 1);
    return spelled(this.whole || rng.below(4) > 0 ? value : value / [2, 4, 10][rng.below(3)]);
  }

  sized(_rng, size) {
    return String(size);
  }

  far(reach) {
    const all = ({ numbers }) => unique(numbers.filter((n) => !this.whole || Number.isInteger(n)).flatMap(beside));
    const rows = named(reach, (said) => all(said).sort((a, b) => Math.abs(a) - Math.abs(b) || a - b).map(spelled));
    return [...rows, row(GREAT), row(GREAT.map((n) => `-${n}`))];
  }

  nth(size) {
    return `(${HASH} >>> 0) % ${Math.max(2, size * 4)}`;
  }

  arbitrary(fc) {
    const top = Math.max(Math.ceil(this.top), 1000);
    const whole = fc.integer({ min: -top, max: top });
    const edges = fc.constantFrom(0, 1, -1, 0.5, ...(this.extreme ? [NaN, Infinity, -Infinity] : []));
    const all = this.whole ? whole : fc.oneof({ weight: 6, arbitrary: whole }, { weight: 2, arbitrary: fc.double({ min: -1e6, max: 1e6, noNaN: true }) }, { weight: 1, arbitrary: edges });
    return withNear(fc, all, this.near).map(spelled);
  }
}

/** Values of an arbitrary, and now and then one that clauses name. */
function withNear(fc, arbitrary, near) {
  return near.length === 0 ? arbitrary : fc.oneof({ weight: 5, arbitrary }, { weight: 1, arbitrary: fc.constantFrom(...near) });
}

function spelled(number) {
  return Object.is(number, -0) ? "0" : String(number);
}

export class Big extends Fixed {
  constructor() {
    super(["0n", "1n", "-1n", "2n", "10n", "255n", "-100n", "9007199254740993n"]);
  }

  random(rng, size) {
    return `${rng.below(2 * size * size + 1) - size}n`;
  }

  sized(_rng, size) {
    return `${size}n`;
  }

  far() {
    return [row(["4294967296n", "18446744073709551616n"])];
  }

  arbitrary(fc) {
    return fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }).map((n) => `${n}n`);
  }
}

/** Text, in the examples' own alphabet too. */
export class Str extends Fixed {
  constructor(hints = [], near = []) {
    const texts = hints.filter((h) => typeof h === "string");
    const alphabet = unique([...texts.join("")]).sort();
    const own = alphabet.slice(0, 6).flatMap((c) => [c, c + c]);
    super([...WORDS.slice(0, 3), ...near.map(quoted), ...own.map(quoted), ...WORDS.slice(3), ...texts.map(quoted)]);
    this.alphabet = alphabet.length > 0 ? alphabet : [..."abcAB 1Zz09"];
    Object.assign(this, { scalable: true, near });
  }

  random(rng, size) {
    if (this.near.length > 0 && rng.below(4) === 0) return quoted(this.near[rng.below(this.near.length)]);
    const alphabet = rng.below(4) === 0 ? PRINTABLE : this.alphabet;
    const length = rng.below(size + 2);
    return quoted(Array.from({ length }, () => alphabet[rng.below(alphabet.length)]).join(""));
  }

  sized(_rng, size, shape) {
    if (shape === "equal") return `${quoted(this.alphabet[0])}.repeat(${size})`;
    const letters = `Array.from({ length: ${size} }, (_, i) => ${JSON.stringify(this.alphabet)}[(${HASH} >>> 0) % ${this.alphabet.length}])`;
    return `${letters}${{ ascending: ".sort()", descending: ".sort().reverse()" }[shape] ?? ""}.join("")`;
  }

  far(reach) {
    const unit = quoted(this.alphabet.slice(0, 4).join(""));
    const mixed = (size) => `${unit}.repeat(${Math.ceil(size / Math.min(4, this.alphabet.length))})`;
    return [...named(reach, ({ texts }) => texts.map(quoted)), row(INHERITED), ...lengths(reach, (size) => `${quoted(this.alphabet[0])}.repeat(${size})`), ...lengths(reach, mixed)];
  }

  nth(size) {
    return `"w" + ((${HASH} >>> 0) % ${Math.max(2, size)})`;
  }

  arbitrary(fc) {
    const own = fc.string({ unit: fc.constantFrom(...this.alphabet), maxLength: 20 });
    return withNear(fc, fc.oneof(own, fc.string({ maxLength: 12 }), fc.string({ unit: "grapheme", maxLength: 8 })), this.near).map(quoted);
  }
}

const quoted = (text) => JSON.stringify(text);

/** An array, Set or other sequence of one kind: `wrap(elements)`. */
export class Many {
  constructor(element, head = "[", tail = "]") {
    Object.assign(this, { element, head, tail, scalable: true });
  }

  text(items) {
    return `${this.head}${items.join(", ")}${this.tail}`;
  }

  small() {
    const e = this.element.small();
    const pick = (...places) => places.map((p) => e[p % e.length]);
    const ordered = [...e.slice(0, 6)].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
    const rows = [[], pick(0), pick(1), pick(0, 1), pick(1, 0), pick(1, 1), pick(0, 1, 2), pick(2, 1, 0), pick(2, 0, 1), pick(1, 2, 1), pick(3), pick(3, 1, 4, 1, 5), pick(0, 0, 0), pick(2, 2, 1, 1), pick(2, 10, 6), ordered, [...ordered].reverse(), pick(0, 1, 2, 3, 4, 5, 6, 7), pick(9, 8, 7, 6, 5, 4, 3, 2, 1)];
    return unique(rows.map((r) => this.text(r)));
  }

  random(rng, size) {
    return this.text(Array.from({ length: rng.below(size + 2) }, () => this.element.random(rng, Math.max(2, size >> 1))));
  }

  sized(_rng, size, shape) {
    const element = shape === "equal" ? (this.element.small()[1] ?? this.element.small()[0]) : this.element.nth(shape === "repeated" ? Math.max(1, size >> 4) : size);
    const order = { ascending: ".sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))", descending: ".sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))" }[shape] ?? "";
    const plain = this.element instanceof Num || this.element instanceof Str ? order : "";
    return `${this.head}...Array.from({ length: ${size} }, (_, i) => (${element}))${plain}${this.tail}`;
  }

  far(reach) {
    const own = unique(this.element.small()).slice(0, 6);
    const items = (size) => `Array.from({ length: ${size} }, (_, i) => [${own.join(", ")}][i % ${own.length}])`;
    const long = (size) => (this.head === "[" ? items(size) : `${this.head}...${items(size)}${this.tail}`);
    const ones = this.element.far(reach).map(({ texts, who }) => row(texts.map((text) => this.text([text])), who));
    return [...ones, ...lengths(reach, long)];
  }

  nth(size) {
    return this.text([this.element.nth(size), this.element.nth(size), this.element.nth(size)]);
  }

  arbitrary(fc) {
    return fc.array(this.element.arbitrary(fc), { maxLength: 12 }).map((items) => this.text(items));
  }
}

/**
 * Fixed kinds side by side: a tuple, an object, the arguments of a constructor. `write(texts)` spells it; an
 * absent part is `undefined`. `read(value)` gives the parts of a value, where that can be done.
 */
export class Row {
  constructor(parts, write, read, optional = []) {
    Object.assign(this, { parts, write, read, optional, scalable: false });
  }

  small() {
    const lists = this.parts.map((p, i) => (this.optional[i] ? [...p.small().slice(0, 1), undefined, ...p.small().slice(1)] : p.small()));
    const count = Math.min(24, Math.max(1, ...lists.map((x) => x.length)));
    return unique(Array.from({ length: count }, (_, turn) => this.write(lists.map((x, place) => x[(turn + place * Math.floor(turn / 3)) % x.length]))));
  }

  random(rng, size) {
    return this.write(this.parts.map((p, i) => (this.optional[i] && rng.below(3) === 0 ? undefined : p.random(rng, size))));
  }

  sized(rng, size, shape) {
    return this.write(this.parts.map((p) => p.sized(rng, size, shape)));
  }

  far(reach) {
    const usual = this.parts.map((p) => p.small()[1] ?? p.small()[0]);
    const rows = (part, i) => part.far(reach).map(({ texts, who }) => row(texts.map((text) => this.write(usual.with(i, text))), who));
    return this.parts.flatMap(rows);
  }

  nth(size) {
    return this.write(this.parts.map((p) => p.nth(size)));
  }

  arbitrary(fc) {
    const parts = this.parts.map((p, i) => (this.optional[i] ? fc.option(p.arbitrary(fc), { nil: undefined }) : p.arbitrary(fc)));
    return fc.tuple(...parts).map((texts) => this.write(texts));
  }
}

/** A dictionary: `write([[key, value], ...])`. */
export class Dict {
  constructor(key, item, write, sizedWrite) {
    Object.assign(this, { key, item, write, sizedWrite, scalable: true });
  }

  small() {
    const [k, v] = [this.key.small(), this.item.small()];
    const pairs = (...places) => this.write(places.map((p, s) => [k[p % k.length], v[(p + s) % v.length]]));
    return unique([pairs(), pairs(1), pairs(2), pairs(1, 2), pairs(2, 1), pairs(3, 2, 1), pairs(1, 2, 3, 4), pairs(5, 3, 1)]);
  }

  random(rng, size) {
    const found = new Map(Array.from({ length: rng.below(size + 1) }, () => [this.key.random(rng, size), this.item.random(rng, Math.max(2, size >> 1))]));
    return this.write([...found]);
  }

  sized(_rng, size) {
    return this.sizedWrite(this.key instanceof Num ? "i" : this.key instanceof Str ? '"k" + i' : this.key.nth(size), this.item.nth(size), size);
  }

  far(reach) {
    const [key, item] = [this.key, this.item].map((part) => part.small()[1] ?? part.small()[0]);
    const ones = (part, write) => part.far(reach).map(({ texts, who }) => row(texts.map(write), who));
    const long = (size) => this.sized(undefined, size);
    return [...ones(this.key, (text) => this.write([[text, item]])), ...ones(this.item, (text) => this.write([[key, text]])), ...lengths(reach, long)];
  }

  nth(size) {
    return this.write([[this.key.small()[1] ?? this.key.small()[0], this.item.nth(size)]]);
  }

  arbitrary(fc) {
    return fc.array(fc.tuple(this.key.arbitrary(fc), this.item.arbitrary(fc)), { maxLength: 8 }).map((pairs) => this.write([...new Map(pairs)]));
  }
}

/** A union. */
export class Either {
  constructor(parts) {
    this.parts = parts;
    this.scalable = parts.some((p) => p.scalable);
  }

  small() {
    const lists = this.parts.map((p) => p.small());
    const found = [];
    for (let i = 0; i < Math.max(...lists.map((x) => x.length)); i += 1) for (const x of lists) if (i < x.length) found.push(x[i]);
    return unique(found);
  }

  random(rng, size) {
    return this.parts[rng.below(this.parts.length)].random(rng, size);
  }

  sized(rng, size, shape) {
    return this.best().sized(rng, size, shape);
  }

  far(reach) {
    return this.parts.flatMap((p) => p.far(reach));
  }

  nth(size) {
    return this.best().nth(size);
  }

  best() {
    return this.parts.find((p) => p.scalable) ?? this.parts[0];
  }

  arbitrary(fc) {
    return fc.oneof(...this.parts.map((p) => p.arbitrary(fc)));
  }
}
