/** Without the program: the extension is there, says so, and its commands do not fail. */

import * as assert from 'node:assert/strict';
import * as path from 'node:path';
import * as vscode from 'vscode';

import type { Api } from '../../src/extension';
import { until } from './until';

export async function run(): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder, 'a folder is open');
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(path.join(folder.uri.fsPath, 'hello.py')));
  const extension = vscode.extensions.getExtension<Api>('zeroerr.zeroerr');
  assert.ok(extension, 'the extension is there');
  const api = await extension.activate();
  await until('the status bar to warn', 10, () => api.statusText().includes('$(warning)'));
  assert.match(api.trouble(), /zeroerr\.server\.path names .*, which is no program that can be run/);
  await vscode.commands.executeCommand('zeroerr.client.implement');
  await vscode.commands.executeCommand('zeroerr.client.cancel');
}
