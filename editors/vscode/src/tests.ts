/** The test explorer: a file, its functions with a spec, and the eight layers of each. */

import * as vscode from 'vscode';

import type { FunctionState, Layer, MarksParams } from './live';

/** Has a function verified; its result comes as a new state. */
export type Verify = (uri: vscode.Uri, name: string) => Promise<void>;

/** A function whose result somebody waits for. */
interface Asked {
  readonly run: vscode.TestRun;
  readonly end: () => void;
  busy: boolean;
}

/** A verification that has not begun by then was refused, and the server has told the user why. */
const BEGINS_WITHIN_MS = 10_000;
const UNWRITTEN = 'not written yet';

const idOf = (...parts: string[]) => parts.join('#');

/** Shows every function as a test and its layers below it. */
export class Tests implements vscode.Disposable {
  readonly #controller = vscode.tests.createTestController('zeroerr', 'zeroerr');
  readonly #asked = new Map<string, Asked>();
  /** The verdicts that the explorer shows, so that each is told once. */
  readonly #told = new Map<string, string>();
  readonly #verify: Verify;

  constructor(verify: Verify) {
    this.#verify = verify;
    this.#controller.createRunProfile('Verify', vscode.TestRunProfileKind.Run, (request, token) => this.run(request, token), true);
  }

  /** The server told the states of a document's functions. */
  take(uri: vscode.Uri, { functions }: MarksParams): void {
    const key = uri.toString();
    if (functions.length === 0) {
      this.#controller.items.delete(key);
      return;
    }
    const file = this.#controller.items.get(key) ?? this.#controller.createTestItem(key, vscode.workspace.asRelativePath(uri), uri);
    this.#controller.items.add(file);
    const items = functions.map((state) => this.#item(uri, state, file.children.get(idOf(key, state.function))));
    file.children.replace(items);
    functions.forEach((state, at) => this.#result(state, items[at] as vscode.TestItem));
  }

  /** The server has gone: nobody gets a result any more. */
  clear(): void {
    this.#controller.items.replace([]);
    this.#told.clear();
    [...this.#asked.values()].forEach(({ end }) => end());
  }

  /** The items as text, for tests. */
  lines(): string[] {
    const walk = (items: vscode.TestItemCollection, indent: string): string[] =>
      [...items].flatMap(([, item]) => [`${indent}${item.label}: ${item.description ?? ''}`, ...walk(item.children, `${indent}  `)]);
    return walk(this.#controller.items, '');
  }

  /** Verifies what the explorer asks for; ends when every result is there. */
  async run(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    const run = this.#controller.createTestRun(request);
    const work = this.#functionsOf(request).map((item) =>
      this.#runOne(run, item, token).catch((error: unknown) => run.errored(item, new vscode.TestMessage(String(error)))),
    );
    await Promise.all(work);
    run.end();
  }

  dispose(): void {
    this.#controller.dispose();
  }

  #item(uri: vscode.Uri, state: FunctionState, old: vscode.TestItem | undefined): vscode.TestItem {
    const id = idOf(uri.toString(), state.function);
    const item = old ?? this.#controller.createTestItem(id, state.function, uri);
    item.range = new vscode.Range(state.line, 0, state.line, 0);
    item.description = state.stub ? UNWRITTEN : state.state === 'changed' ? 'changed since it was checked' : state.title;
    item.sortText = String(state.line).padStart(8, '0');
    const layers = state.layers.map((layer, at) => {
      const child = this.#controller.createTestItem(idOf(id, layer.layer), layer.layer, uri);
      child.range = item.range;
      child.description = layer.detail;
      child.sortText = String(at);
      return child;
    });
    item.children.replace(layers);
    return item;
  }

  /** Shows the verdicts on a function, to whoever asked for them or to nobody in particular. */
  #result(state: FunctionState, item: vscode.TestItem): void {
    const asked = this.#asked.get(item.id);
    if (state.state === 'running') {
      if (asked !== undefined) {
        asked.busy = true;
      }
      return;
    }
    const verdicts = JSON.stringify([state.title, state.layers]);
    const known = this.#told.get(item.id) === verdicts;
    // What was told of an older text is taken back with the first key.
    const nothing = state.layers.length === 0 && !this.#told.has(item.id);
    if (asked === undefined ? known || nothing : !asked.busy) {
      return;
    }
    this.#told.set(item.id, verdicts);
    const run = asked?.run ?? this.#controller.createTestRun(new vscode.TestRunRequest([item]), undefined, false);
    if (state.layers.length === 0) {
      // Cancelled, changed meanwhile, or there is no edit.
      run.skipped(item);
    } else {
      settleAll(run, item, state);
    }
    if (asked === undefined) {
      run.end();
    } else {
      asked.end();
    }
  }

  async #runOne(run: vscode.TestRun, item: vscode.TestItem, token: vscode.CancellationToken): Promise<void> {
    const { uri } = item;
    if (uri === undefined || item.description === UNWRITTEN) {
      run.skipped(item);
      return;
    }
    const result = new Promise<void>((resolve) => {
      const end = () => {
        this.#asked.delete(item.id);
        resolve();
      };
      this.#asked.set(item.id, { run, end, busy: false });
      token.onCancellationRequested(end);
    });
    run.started(item);
    await vscode.workspace.openTextDocument(uri);
    await this.#verify(uri, item.label);
    setTimeout(() => {
      const asked = this.#asked.get(item.id);
      if (asked?.run === run && !asked.busy) {
        run.skipped(item);
        asked.end();
      }
    }, BEGINS_WITHIN_MS);
    await result;
  }

  /** The functions that a request is about, each once. */
  #functionsOf(request: vscode.TestRunRequest): vscode.TestItem[] {
    const found = new Map<string, vscode.TestItem>();
    const add = (item: vscode.TestItem): void => {
      const file = item.parent === undefined;
      const layer = item.parent?.parent !== undefined;
      if (file) {
        item.children.forEach(add);
      } else if (layer) {
        add(item.parent as vscode.TestItem);
      } else if (!(request.exclude ?? []).includes(item)) {
        found.set(item.id, item);
      }
    };
    if (request.include === undefined) {
      this.#controller.items.forEach(add);
    } else {
      request.include.forEach(add);
    }
    return [...found.values()];
  }
}

function settleAll(run: vscode.TestRun, item: vscode.TestItem, state: FunctionState): void {
  // The gutter shows one mark for a function and its layers: without evidence none of them may be a tick.
  const judged = state.state === 'passed' || state.state === 'failed';
  for (const layer of state.layers) {
    run.appendOutput(`${item.label} ${layer.layer}: ${layer.verdict.replaceAll('_', ' ')}: ${layer.detail}\r\n`, undefined, item);
    const child = item.children.get(idOf(item.id, layer.layer));
    if (child !== undefined) {
      if (judged) {
        settle(run, child, layer, state.moved);
      } else {
        run.skipped(child);
      }
    }
  }
  switch (state.state) {
    case 'failed':
      run.failed(item, new vscode.TestMessage(state.title));
      break;
    case 'passed':
      run.passed(item);
      break;
    default:
      // Nothing failed, and nothing could have.
      run.skipped(item);
  }
}

function settle(run: vscode.TestRun, item: vscode.TestItem, layer: Layer, moved: number): void {
  switch (layer.verdict) {
    case 'passed':
      run.passed(item);
      break;
    case 'failed':
      run.failed(item, failures(item, layer, moved));
      break;
    case 'not_applicable':
      run.skipped(item);
      break;
    case 'unavailable':
    case 'timed_out':
      run.errored(item, new vscode.TestMessage(layer.detail));
  }
}

function failures(item: vscode.TestItem, layer: Layer, moved: number): vscode.TestMessage[] {
  if (layer.findings.length === 0) {
    return [new vscode.TestMessage(layer.detail)];
  }
  return layer.findings.map((finding) => {
    const message = new vscode.TestMessage(`${finding.message} (${finding.code})`);
    if (item.uri !== undefined) {
      message.location = new vscode.Location(item.uri, new vscode.Position(Math.max(0, finding.line - 1 + moved), 0));
    }
    return message;
  });
}
