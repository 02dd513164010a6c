/** Dates: moments of every kind of day, not a list of a few. */
import { Fixed, HASH, row } from "./kinds.mjs";

const EDGES = ["1970-01-01", "2024-01-01", "2024-02-29T23:59:59Z", "1999-12-31T12:00:00Z", "2023-03-01"];
/** A week in a row, the ends of months, and what calendars get wrong. */
const DAYS = [
  "2024-06-01", "2024-06-02", "2024-06-03", "2024-06-04", "2024-06-05", "2024-06-06", "2024-06-07",
  "2023-02-28", "2024-04-30", "2024-05-31T18:30:00Z", "2024-07-31", "2024-08-15T06:05:04Z", "2024-09-30", "2024-10-31", "2024-11-30",
  "2000-02-29", "1900-02-28", "2024-12-29", "2024-12-30", "2024-12-31T23:59:59.999Z", "2021-01-03T00:00:00.001Z", "1969-12-31T23:59:59Z",
];
/** Years of four digits, none of which the language takes for one of the last century. */
const FAR = ["1582-10-15", "1752-09-14", "2038-01-19T03:14:08Z", "2100-02-28", "2999-12-31T23:59:59.999Z"];
const ISO = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z?)?$/;

const written = (text) => (text === EDGES[0] ? "new Date(0)" : `new Date("${text}")`);
const two = (n) => String(n).padStart(2, "0");

/** The moment of some numbers; a day past the end of its month is one of the next. */
function moment(year, month, day, second) {
  const time = Date.UTC(year, month, day) + second * 1000;
  const iso = new Date(time).toISOString();
  return `new Date("${second === 0 ? iso.slice(0, 10) : `${iso.slice(0, 19)}Z`}")`;
}

export class Day extends Fixed {
  /** `said` are texts of the spec: those that are dates are asked for, with the moments beside them. */
  constructor(said = []) {
    const near = said.filter((text) => ISO.test(text) && !Number.isNaN(Date.parse(text))).slice(0, 6).flatMap((text) => [0, -1, 1].map((by) => new Date(Date.parse(text) + by).toISOString()));
    super([...EDGES, ...near, ...DAYS].map(written));
  }

  random(rng) {
    if (rng.below(4) === 0) return this.texts[rng.below(this.texts.length)];
    const second = rng.below(3) === 0 ? rng.below(86_400) : 0;
    return moment(1970 + rng.below(80), rng.below(12), 1 + rng.below(31), second);
  }

  nth() {
    return `new Date((${HASH} >>> 0) * 1000)`;
  }

  far() {
    return [row(FAR.map(written))];
  }

  arbitrary(fc) {
    const some = (min, max) => fc.integer({ min, max });
    const any = fc.tuple(some(1970, 2049), some(0, 11), some(1, 31), fc.oneof(fc.constant(0), some(0, 86_399)));
    return fc.oneof({ weight: 1, arbitrary: fc.constantFrom(...this.texts) }, { weight: 3, arbitrary: any.map((parts) => moment(...parts)) });
  }
}
