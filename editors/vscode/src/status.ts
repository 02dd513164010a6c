/** The status bar item: what runs, and whether the server is there. */

import * as vscode from 'vscode';
import type { WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport } from 'vscode-languageclient/node';

/** What the server can be doing. */
export type ServerState = 'starting' | 'ready' | 'stopped';

/** Shows the server's state, and the news of the runs while some are busy. */
export class Status implements vscode.Disposable {
  readonly #item = vscode.window.createStatusBarItem('zeroerr.status', vscode.StatusBarAlignment.Left, 10);
  readonly #runs = new Map<string | number, { title: string; news: string }>();
  #state: ServerState = 'starting';
  #trouble = '';

  constructor() {
    this.#item.name = 'zeroerr';
    this.#item.command = 'zeroerr.client.menu';
    this.#draw();
    this.#item.show();
  }

  /** The server's state changed; `trouble` says why it is stopped. */
  server(state: ServerState, trouble = ''): void {
    this.#state = state;
    this.#trouble = trouble;
    if (state === 'stopped') {
      this.#runs.clear();
    }
    this.#draw();
  }

  /** A run has news. */
  progress(token: string | number, value: WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd): void {
    switch (value.kind) {
      case 'begin':
        this.#runs.set(token, { title: value.title, news: value.message ?? '' });
        break;
      case 'report': {
        const run = this.#runs.get(token);
        if (run !== undefined && value.message !== undefined) {
          run.news = value.message;
        }
        break;
      }
      case 'end':
        this.#runs.delete(token);
        break;
    }
    this.#draw();
  }

  /** Whether a run is busy. */
  get busy(): boolean {
    return this.#runs.size > 0;
  }

  /** What the item says, for tests and screen readers. */
  get text(): string {
    return this.#item.text;
  }

  dispose(): void {
    this.#item.dispose();
  }

  #draw(): void {
    const [run] = this.#runs.values();
    this.#item.backgroundColor = undefined;
    if (this.#state === 'stopped') {
      this.#item.text = '$(warning) zeroerr';
      this.#item.tooltip = this.#trouble || 'The server does not run.';
      this.#item.backgroundColor = new vscode.ThemeColor('statusBarItem.warningBackground');
    } else if (run !== undefined) {
      const more = this.#runs.size > 1 ? ` (+${this.#runs.size - 1})` : '';
      this.#item.text = `$(sync~spin) ${run.title}${run.news === '' ? '' : `: ${run.news}`}${more}`;
      this.#item.tooltip = [...this.#runs.values()].map((r) => `${r.title}: ${r.news}`).join('\n');
    } else {
      this.#item.text = this.#state === 'starting' ? '$(loading~spin) zeroerr' : '$(verified) zeroerr';
      this.#item.tooltip = this.#state === 'starting' ? 'The server is starting.' : 'Nothing runs.';
    }
    this.#item.accessibilityInformation = { label: this.#item.text.replace(/\$\([^)]*\)\s*/, '') };
  }
}
