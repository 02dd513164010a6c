/** The "Runs" view: each run with its plan, the votes on every step as they come, and the layers. */

import * as vscode from 'vscode';

import type { Layer, News, Outcome, RunParams, Verdict } from './live';

type Stand = 'busy' | Outcome;

/** A step of the plan, or the layers: a line with lines below it. */
interface Part {
  readonly run: Run;
  readonly title: string;
  status: string;
  stand: 'waits' | 'busy' | 'done';
  lines: Line[];
}

/** A class and its votes, why a sample does not vote, or a layer. */
interface Line {
  readonly part: Part;
  readonly text: string;
  readonly detail: string;
  readonly icon: vscode.ThemeIcon;
}

interface Run {
  readonly id: number;
  readonly title: string;
  readonly function: string;
  readonly uri: vscode.Uri;
  readonly began: Date;
  readonly parts: Part[];
  stand: Stand;
  message: string;
}

type Node = Run | Part | Line;

/** Runs that are kept. */
const KEPT = 20;
/** Samples without a vote that are named, newest first. */
const REJECTED = 5;
const CHECKS = 'Layers';

/** Feeds the view from the server's news. */
export class Runs implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<Node | undefined>();
  readonly #view: vscode.TreeView<Node>;
  readonly #busy = new Map<number, Run>();
  #runs: Run[] = [];
  #next = 0;

  readonly onDidChangeTreeData = this.#changed.event;

  constructor() {
    this.#view = vscode.window.createTreeView('zeroerr.runs', { treeDataProvider: this });
  }

  /** A run began, has news, or ended. */
  news(params: RunParams): void {
    const run = this.#busy.get(params.job) ?? this.#begin(params);
    for (const news of params.news) {
      take(run, news);
    }
    if (params.end !== null) {
      run.stand = params.end.outcome;
      run.message = params.end.message;
      for (const part of run.parts) {
        part.stand = part.stand === 'busy' ? 'done' : part.stand;
      }
      this.#busy.delete(params.job);
    }
    this.#changed.fire(run);
    this.#count();
  }

  /** The server has gone: what was busy will report no end. */
  serverGone(): void {
    for (const run of this.#busy.values()) {
      run.stand = 'error';
      run.message = 'the server has gone';
    }
    this.#busy.clear();
    this.#changed.fire(undefined);
    this.#count();
  }

  /** The view's lines as text, for tests. */
  lines(): string[] {
    return this.#runs.flatMap((run) => [
      `${run.title} (${run.stand})`,
      ...run.parts.flatMap((part) => [
        `  ${part.title}: ${part.status}`,
        ...part.lines.map((line) => `    ${line.text}: ${line.detail}`),
      ]),
    ]);
  }

  getChildren(node?: Node): Node[] {
    if (node === undefined) {
      return this.#runs;
    }
    if (isRun(node)) {
      return node.parts;
    }
    return isPart(node) ? node.lines : [];
  }

  getParent(node: Node): Node | undefined {
    if (isRun(node)) {
      return undefined;
    }
    return isPart(node) ? node.run : node.part;
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if (isRun(node)) {
      return runItem(node);
    }
    return isPart(node) ? partItem(node) : lineItem(node);
  }

  dispose(): void {
    this.#view.dispose();
    this.#changed.dispose();
  }

  #begin(params: RunParams): Run {
    const run: Run = {
      id: this.#next++,
      title: `${params.kind} \`${params.function}\``,
      function: params.function,
      uri: vscode.Uri.parse(params.uri),
      began: new Date(),
      parts: [],
      stand: 'busy',
      message: '',
    };
    this.#busy.set(params.job, run);
    this.#runs = [run, ...this.#runs].slice(0, KEPT);
    this.#changed.fire(undefined);
    return run;
  }

  #count(): void {
    const busy = this.#busy.size;
    this.#view.badge = busy === 0 ? undefined : { value: busy, tooltip: busy === 1 ? 'one run is busy' : `${busy} runs are busy` };
  }
}

/** Puts one piece of news where it belongs. */
function take(run: Run, news: News): void {
  switch (news.event) {
    case 'started':
      news.steps.forEach((step) => part(run, step));
      break;
    case 'loading_model':
      run.message = `loading ${news.model}`;
      break;
    case 'sampled':
      tell(part(run, news.step), `sample ${news.samples} of at most ${news.max_attempts}`);
      break;
    case 'flagged':
      reject(part(run, news.step), 'sample discarded');
      break;
    case 'gate_rejected':
      reject(part(run, news.step), news.why);
      break;
    case 'voted': {
      const step = part(run, news.step);
      tell(step, `ahead by ${news.margin} of ${news.k}`);
      const votes = news.tally.map(({ class: name, votes }) => line(step, name, votes === 1 ? '1 vote' : `${votes} votes`, VOTE));
      step.lines = [...votes, ...step.lines.filter((l) => l.icon !== VOTE)];
      break;
    }
    case 'decided': {
      const step = part(run, news.step);
      step.stand = 'done';
      step.status = `decided for ${news.class}, ${step.status}`;
      break;
    }
    case 'advised': {
      const step = part(run, news.step);
      step.lines.push(line(step, news.agent, news.says, ADVICE));
      break;
    }
    case 'layer_started':
      tell(part(run, CHECKS), news.layer);
      break;
    case 'layer_finished': {
      const checks = part(run, CHECKS);
      checks.lines.push(line(checks, news.report.layer, layerDetail(news.report), VERDICTS[news.report.verdict]));
      const passed = checks.lines.filter((l) => l.icon === VERDICTS.passed).length;
      tell(checks, `${passed} of ${checks.lines.length} passed`);
      break;
    }
  }
}

function part(run: Run, title: string): Part {
  const known = run.parts.find((p) => p.title === title);
  if (known !== undefined) {
    return known;
  }
  const added: Part = { run, title, status: 'waits', stand: 'waits', lines: [] };
  run.parts.push(added);
  return added;
}

function tell(part: Part, status: string): void {
  part.status = status;
  part.stand = 'busy';
}

function reject(part: Part, why: string): void {
  part.stand = 'busy';
  const votes = part.lines.filter((l) => l.icon !== REJECTION);
  const rejections = part.lines.filter((l) => l.icon === REJECTION);
  part.lines = [...votes, line(part, 'does not vote', why, REJECTION), ...rejections.slice(0, REJECTED - 1)];
}

function line(part: Part, text: string, detail: string, icon: vscode.ThemeIcon): Line {
  return { part, text, detail, icon };
}

function layerDetail(layer: Layer): string {
  return layer.findings[0]?.message ?? layer.detail;
}

function runItem(run: Run): vscode.TreeItem {
  const busy = run.stand === 'busy';
  const item = new vscode.TreeItem(run.title, busy ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `run-${run.id}`;
  item.iconPath = STANDS[run.stand];
  item.description = busy ? run.message : `${run.began.toLocaleTimeString()} · ${run.message}`;
  item.tooltip = run.message;
  item.contextValue = busy ? 'busy' : 'ended';
  return item;
}

function partItem(part: Part): vscode.TreeItem {
  const item = new vscode.TreeItem(part.title, vscode.TreeItemCollapsibleState.Expanded);
  item.id = `run-${part.run.id}-${part.title}`;
  item.description = part.status;
  item.iconPath = PARTS[part.stand];
  return item;
}

function lineItem({ part, text, detail, icon }: Line): vscode.TreeItem {
  const item = new vscode.TreeItem(text);
  item.description = detail;
  item.tooltip = detail;
  item.iconPath = icon;
  item.id = `run-${part.run.id}-${part.title}-${part.lines.findIndex((l) => l.text === text && l.detail === detail)}-${text}`;
  return item;
}

const VOTE = new vscode.ThemeIcon('symbol-event');
const ADVICE = new vscode.ThemeIcon('comment');
const REJECTION = new vscode.ThemeIcon('circle-slash');

const VERDICTS: Record<Verdict, vscode.ThemeIcon> = {
  passed: new vscode.ThemeIcon('pass', new vscode.ThemeColor('testing.iconPassed')),
  failed: new vscode.ThemeIcon('error', new vscode.ThemeColor('testing.iconFailed')),
  not_applicable: new vscode.ThemeIcon('dash'),
  unavailable: new vscode.ThemeIcon('question'),
  timed_out: new vscode.ThemeIcon('watch'),
};

const PARTS: Record<Part['stand'], vscode.ThemeIcon> = {
  waits: new vscode.ThemeIcon('circle-outline'),
  busy: new vscode.ThemeIcon('sync~spin'),
  done: new vscode.ThemeIcon('check'),
};

const STANDS: Record<Stand, vscode.ThemeIcon> = {
  busy: new vscode.ThemeIcon('sync~spin'),
  verified: new vscode.ThemeIcon('verified', new vscode.ThemeColor('testing.iconPassed')),
  checked: new vscode.ThemeIcon('checklist'),
  abstained: new vscode.ThemeIcon('circle-slash', new vscode.ThemeColor('testing.iconSkipped')),
  cancelled: new vscode.ThemeIcon('circle-outline'),
  error: new vscode.ThemeIcon('error', new vscode.ThemeColor('testing.iconErrored')),
};

function isRun(node: Node): node is Run {
  return 'parts' in node;
}

function isPart(node: Node): node is Part {
  return 'lines' in node;
}
