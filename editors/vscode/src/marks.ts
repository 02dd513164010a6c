/** Marks in the gutter: what is known of each function, for exactly the text that it has now. */

import * as vscode from 'vscode';

import type { FunctionStand, FunctionState, MarksParams } from './live';

/** What is known of one document. */
interface Known {
  readonly version: number;
  readonly functions: FunctionState[];
}

/** States that have a mark; a function of which nothing is known has none. */
const SHOWN: Partial<Record<FunctionStand, string>> = {
  passed: 'passed with exactly this text',
  failed: 'failed with exactly this text',
  changed: 'changed since it was checked',
  abstained: 'no edit: see the diagnostic',
};

/** Draws the marks of every editor. */
export class Marks implements vscode.Disposable {
  readonly #known = new Map<string, Known>();
  readonly #types = new Map<string, vscode.TextEditorDecorationType>();
  readonly #listeners: vscode.Disposable[];

  constructor(media: vscode.Uri) {
    for (const state of Object.keys(SHOWN)) {
      const gutterIconPath = vscode.Uri.joinPath(media, 'gutter', `${state}.svg`);
      this.#types.set(state, vscode.window.createTextEditorDecorationType({ gutterIconPath, gutterIconSize: '70%' }));
    }
    this.#listeners = [
      vscode.window.onDidChangeVisibleTextEditors((editors) => editors.forEach((editor) => this.#draw(editor))),
      // A mark about an older text would claim too much: it goes with the first keystroke and comes
      // back when the server has looked at the new text.
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0 && this.#known.delete(document.uri.toString())) {
          this.#drawAll(document.uri);
        }
      }),
    ];
  }

  /** The server told the states of a document's functions. */
  take(uri: vscode.Uri, { version, functions }: MarksParams): void {
    const document = vscode.workspace.textDocuments.find((d) => d.uri.toString() === uri.toString());
    if (document === undefined || document.version !== version) {
      this.#known.delete(uri.toString());
    } else {
      this.#known.set(uri.toString(), { version, functions });
    }
    this.#drawAll(uri);
  }

  /** The server has gone, and with it what it knew. */
  clear(): void {
    this.#known.clear();
    vscode.window.visibleTextEditors.forEach((editor) => this.#draw(editor));
  }

  /** `line: state`, one for each mark in a document, for tests. */
  lines(uri: vscode.Uri): string[] {
    return this.#shown(uri).map(({ line, state }) => `${line + 1}: ${state}`);
  }

  dispose(): void {
    this.#listeners.forEach((listener) => listener.dispose());
    this.#types.forEach((type) => type.dispose());
  }

  #shown(uri: vscode.Uri): FunctionState[] {
    return (this.#known.get(uri.toString())?.functions ?? []).filter(({ state }) => SHOWN[state] !== undefined);
  }

  #drawAll(uri: vscode.Uri): void {
    vscode.window.visibleTextEditors.filter((e) => e.document.uri.toString() === uri.toString()).forEach((e) => this.#draw(e));
  }

  #draw(editor: vscode.TextEditor): void {
    const shown = this.#shown(editor.document.uri);
    for (const [state, type] of this.#types) {
      const lines = shown.filter((f) => f.state === state).map((f) => new vscode.Range(f.line, 0, f.line, 0));
      editor.setDecorations(type, lines);
    }
  }
}
