/** What our server tells beyond the protocol, to those who ask (docs/API_REFERENCE.md, "Live news"). */

import type { ClientCapabilities, StaticFeature } from 'vscode-languageclient/node';

export type Verdict = 'passed' | 'failed' | 'not_applicable' | 'unavailable' | 'timed_out';

export interface Layer {
  readonly layer: string;
  readonly verdict: Verdict;
  readonly detail: string;
  readonly findings: { readonly code: string; readonly message: string; readonly line: number }[];
}

/** News of a run; other events are there and need no line of their own. */
export type News =
  | { event: 'started'; steps: string[] }
  | { event: 'loading_model'; model: string }
  | { event: 'sampled'; step: string; samples: number; max_attempts: number }
  | { event: 'flagged'; step: string; flag: unknown }
  | { event: 'gate_rejected'; step: string; why: string }
  | { event: 'voted'; step: string; tally: { class: string; votes: number }[]; margin: number; k: number }
  | { event: 'decided'; step: string; class: string }
  | { event: 'advised'; step: string; agent: string; says: string }
  | { event: 'layer_started'; layer: string }
  | { event: 'layer_finished'; report: Layer };

export type Outcome = 'verified' | 'abstained' | 'error' | 'checked' | 'cancelled';

/** `zeroerr/run` */
export interface RunParams {
  readonly job: number;
  readonly kind: 'implement' | 'verify';
  readonly uri: string;
  readonly function: string;
  readonly news: News[];
  readonly end: { readonly outcome: Outcome; readonly message: string; readonly run: string | null } | null;
}

/** How a function stands; `passed` and `failed` are about exactly its present text. */
export type FunctionStand = 'running' | 'unchecked' | 'changed' | 'abstained' | 'failed' | 'passed';

export interface FunctionState {
  readonly function: string;
  /** 0-based line of its header. */
  readonly line: number;
  readonly stub: boolean;
  readonly state: FunctionStand;
  readonly title: string;
  /** How many lines it has moved since its findings were made. */
  readonly moved: number;
  readonly layers: Layer[];
}

/** `zeroerr/marks` */
export interface MarksParams {
  readonly uri: string;
  readonly version: number;
  readonly functions: FunctionState[];
}

/** `zeroerr/report` */
export interface ReportParams {
  readonly title: string;
  /** A whole page without scripts. */
  readonly html: string;
}

/** Asks the server for it. */
export const askForNews: StaticFeature = {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    const experimental = (capabilities.experimental ?? {}) as Record<string, unknown>;
    capabilities.experimental = { ...experimental, zeroerr: { runs: true, marks: true, reports: true } };
  },
  initialize() {},
  getState: () => ({ kind: 'static' }),
  clear() {},
};
