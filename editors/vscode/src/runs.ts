/** The "Runs" view: what runs and what ran, each with the news that the server told. */

import * as vscode from 'vscode';
import type { WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport } from 'vscode-languageclient/node';

/** How a run stands. */
type Stand = 'busy' | 'verified' | 'abstained' | 'ended';

interface Run {
  readonly id: number;
  readonly title: string;
  readonly began: Date;
  readonly news: string[];
  stand: Stand;
}

/** One line of a run. */
interface News {
  readonly run: Run;
  readonly at: number;
}

type Node = Run | News;

/** Runs that are kept. */
const KEPT = 20;
/** Lines that are kept of a run. */
const LINES = 200;

/** Feeds the view from the server's progress. */
export class Runs implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<Node | undefined>();
  readonly #view: vscode.TreeView<Node>;
  readonly #busy = new Map<string | number, Run>();
  #runs: Run[] = [];
  #next = 0;

  readonly onDidChangeTreeData = this.#changed.event;

  constructor() {
    this.#view = vscode.window.createTreeView('zeroerr.runs', { treeDataProvider: this });
  }

  /** A run has news. */
  progress(token: string | number, value: WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd): void {
    if (value.kind === 'begin') {
      const run: Run = { id: this.#next++, title: value.title.replace(/^zeroerr: /, ''), began: new Date(), news: [], stand: 'busy' };
      this.#busy.set(token, run);
      this.#runs = [run, ...this.#runs].slice(0, KEPT);
      this.#changed.fire(undefined);
    }
    const run = this.#busy.get(token);
    if (run === undefined) {
      return;
    }
    if (value.message !== undefined && value.message !== run.news.at(-1)) {
      run.news.push(value.message);
      run.news.splice(0, Math.max(0, run.news.length - LINES));
    }
    if (value.kind === 'end') {
      run.stand = standOf(value.message ?? '');
      this.#busy.delete(token);
    }
    this.#changed.fire(run);
    this.#count();
  }

  /** The server has gone: what was busy will report no end. */
  serverGone(): void {
    for (const run of this.#busy.values()) {
      run.stand = 'ended';
      run.news.push('the server has gone');
    }
    this.#busy.clear();
    this.#changed.fire(undefined);
    this.#count();
  }

  /** The view's lines as text, for tests: runs, and below each its news. */
  lines(): string[] {
    return this.#runs.flatMap((run) => [`${run.title} (${run.stand})`, ...run.news.map((line) => `  ${line}`)]);
  }

  getChildren(node?: Node): Node[] {
    if (node === undefined) {
      return this.#runs;
    }
    return isRun(node) ? node.news.map((_, at) => ({ run: node, at })) : [];
  }

  getParent(node: Node): Node | undefined {
    return isRun(node) ? undefined : node.run;
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if (isRun(node)) {
      const state = node.stand === 'busy' ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.Collapsed;
      const item = new vscode.TreeItem(node.title, state);
      item.id = `run-${node.id}`;
      item.iconPath = ICONS[node.stand];
      item.description = node.stand === 'busy' ? (node.news.at(-1) ?? '') : node.began.toLocaleTimeString();
      item.tooltip = node.news.at(-1) ?? '';
      item.contextValue = node.stand === 'busy' ? 'busy' : 'ended';
      return item;
    }
    const item = new vscode.TreeItem(node.run.news[node.at] ?? '');
    item.id = `run-${node.run.id}-${node.at}`;
    return item;
  }

  dispose(): void {
    this.#view.dispose();
    this.#changed.dispose();
  }

  #count(): void {
    const busy = this.#busy.size;
    this.#view.badge = busy === 0 ? undefined : { value: busy, tooltip: busy === 1 ? 'one run is busy' : `${busy} runs are busy` };
  }
}

const ICONS: Record<Stand, vscode.ThemeIcon> = {
  busy: new vscode.ThemeIcon('sync~spin'),
  verified: new vscode.ThemeIcon('verified', new vscode.ThemeColor('testing.iconPassed')),
  abstained: new vscode.ThemeIcon('circle-slash', new vscode.ThemeColor('testing.iconSkipped')),
  ended: new vscode.ThemeIcon('circle-outline'),
};

/** The server's last words begin with the outcome. */
function standOf(message: string): Stand {
  if (message.startsWith('verified')) {
    return 'verified';
  }
  return message.startsWith('no edit') ? 'abstained' : 'ended';
}

function isRun(node: Node): node is Run {
  return 'news' in node;
}
