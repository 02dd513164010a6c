/** The server dies in the middle of a run: nothing is claimed any more, it starts again, and works. */

import * as assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import * as vscode from 'vscode';

import type { Api } from '../../src/extension';
import { until } from './until';

export async function run(): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder, 'a folder is open');
  const document = await vscode.workspace.openTextDocument(path.join(folder.uri.fsPath, 'hello.py'));
  const editor = await vscode.window.showTextDocument(document);
  const extension = vscode.extensions.getExtension<Api>('zeroerr.zeroerr');
  assert.ok(extension, 'the extension is there');
  const api = await extension.activate();
  const before = document.getText();
  const line = before.split('\n').findIndex((text) => text.startsWith('def total'));
  editor.selection = new vscode.Selection(line, 4, line, 4);
  await until('the explorer to list the functions', 30, () => api.tests().length > 0);

  await vscode.commands.executeCommand('zeroerr.client.implement');
  await until('the run to be busy', 20, () => api.runs()[0] === 'implement `total` (busy)');
  for (const server of servers()) {
    process.kill(server, 'SIGKILL');
  }
  await until('the run to be given up', 20, () => api.runs()[0] === 'implement `total` (error)');
  assert.equal(document.getText(), before, 'nothing was written');
  await until('the server to be there again', 60, () => servers().length === 1 && api.tests().length > 0);

  await vscode.commands.executeCommand('zeroerr.client.implement');
  await until('the function to be written by the new server', 120, () => document.getText() !== before);
  await until('the view to show how the run ended', 20, () => api.runs()[0] === 'implement `total` (verified)');
}

/** The servers that this extension host started. */
function servers(): number[] {
  try {
    const pids = execFileSync('pgrep', ['-P', String(process.pid), '-x', 'zeroerr'], { encoding: 'utf8' });
    return pids.trim().split('\n').map(Number);
  } catch {
    return [];
  }
}
