/** The report of a run beside the code: the page that `zeroerr report` writes, which has no scripts. */

import * as vscode from 'vscode';

import type { ReportParams } from './live';

/** Shows one report at a time. */
export class Report implements vscode.Disposable {
  #panel: vscode.WebviewPanel | undefined;

  show({ title, html }: ReportParams): void {
    // Nothing may run in it or be fetched by it, whatever the page says of itself.
    const options = { enableScripts: false, enableCommandUris: false, enableForms: false, localResourceRoots: [] };
    this.#panel ??= this.#open(options);
    this.#panel.title = title;
    this.#panel.webview.options = options;
    this.#panel.webview.html = html;
    this.#panel.reveal(undefined, true);
  }

  /** The page that is shown, for tests. */
  html(): string {
    return this.#panel?.webview.html ?? '';
  }

  dispose(): void {
    this.#panel?.dispose();
  }

  #open(options: vscode.WebviewOptions): vscode.WebviewPanel {
    const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    const panel = vscode.window.createWebviewPanel('zeroerr.report', 'zeroerr', column, options);
    panel.onDidDispose(() => {
      this.#panel = undefined;
    });
    return panel;
  }
}
