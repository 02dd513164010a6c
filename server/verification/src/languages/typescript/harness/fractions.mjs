/**
 * Inputs with fractions for a function whose examples show whole numbers alone. Clauses judge them, nothing else does:
 * who means whole numbers and does not say so owes nothing more for others.
 */
import { calls, Plan } from "./inputs.mjs";

/** What clauses of `@requires` say that admit whole numbers alone. */
const WHOLE = /\bis(?:Safe)?Integer\b|%\s*1\b|\bMath\.(?:trunc|floor|round|ceil)\b/;
const POOL = 240;
const MOST = 60;
const TEXTS = /"(?:[^"\\]|\\.)*"/g;

const hasFraction = (text) => /\d\.\d/.test(text.replace(TEXTS, '""'));

/** Calls `{ receiver, args }` that pass at least one fraction; none where the examples show some themselves. */
export function fractional(request, plan) {
  if (!plan.isWhole || request.requires.some((text) => WHOLE.test(text))) return [];
  const wider = new Plan(request, true);
  return calls(wider, request.seed ?? 0, POOL).filter(({ args }) => args.some(hasFraction)).slice(0, MOST);
}
