/** Whether a value is of a type, as the server describes types; what cannot be said is a yes. */
import { literal } from "./literals.mjs";

export function fits({ kind, of }, value) {
  switch (kind) {
    case "number":
    case "string":
    case "boolean":
    case "undefined":
      return typeof value === kind;
    case "big_int":
      return typeof value === "bigint";
    case "null":
      return value === null;
    case "literal":
      return isLiteral(of, value);
    case "date":
      return value instanceof Date;
    case "array":
      return Array.isArray(value) && value.every((item) => fits(of, item));
    case "set":
      return value instanceof Set && [...value].every((item) => fits(of, item));
    case "map":
      return value instanceof Map && [...value].every(([key, item]) => fits(of[0], key) && fits(of[1], item));
    case "tuple":
      return Array.isArray(value) && value.length === of.length && value.every((item, i) => fits(of[i], item));
    case "object":
      return isPlain(value) && hasFields(of, value);
    case "record":
      return isPlain(value) && Object.entries(value).every(([key, item]) => isKey(of[0], key) && fits(of[1], item));
    case "union":
      return of.some((type) => fits(type, value));
    case "deeper":
      return typeof value === "object";
    case "template":
      return typeof value === "string" && new RegExp(`^${of.map(([said, type]) => escaped(said) + (type === null ? "" : pattern(type))).join("")}$`, "su").test(value);
    default:
      return true;
  }
}

/** Whether some of a type is only shown by examples. */
export function isShown({ kind, of }) {
  if (kind === "shown") return true;
  if (kind === "object") return of.some(([, type]) => isShown(type));
  if (["tuple", "union", "record", "map"].includes(kind)) return of.some(isShown);
  return ["array", "set", "promise", "iterable"].includes(kind) && isShown(of);
}

const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** How a part of a template looks. */
function pattern({ kind, of }) {
  if (kind === "number") return "-?[\\d.]+(?:e[+-]?\\d+)?";
  if (kind === "big_int") return "-?\\d+";
  if (kind === "boolean") return "(?:true|false)";
  if (kind === "literal") return escaped(String(literal(of)?.value));
  if (kind === "union") return `(?:${of.map(pattern).join("|")})`;
  if (kind === "template") return of.map(([said, type]) => escaped(said) + (type === null ? "" : pattern(type))).join("");
  return ".*";
}

/** The texts of literals that need the file (`Color.Red`) have no value here. */
function isLiteral(text, value) {
  const known = literal(text);
  return known === undefined || Object.is(known.value, value);
}

/** Whether it is an object as a literal makes one. */
export function isPlain(value) {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function hasFields(fields, value) {
  const isRight = ([name, type, optional]) => (value[name] === undefined && optional) || fits(type, value[name]);
  return fields.every(isRight) && Object.keys(value).every((key) => fields.some(([name]) => name === key));
}

/** Keys are texts, those that a type calls numbers as well. */
function isKey(type, key) {
  return fits(type, key) || fits(type, Number(key));
}
