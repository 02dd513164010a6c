/** The flows inside the extension host, with the real server: implement, undo, cancel, status. */

import * as assert from 'node:assert/strict';
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
  await until('the light bulb to offer the job', 20, async () => {
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>('vscode.executeCodeActionProvider', document.uri, editor.selection);
    return actions.some((action) => action.command?.command === 'zeroerr.implement');
  });

  await vscode.commands.executeCommand('zeroerr.client.implement');
  await until('the status bar to tell of the run', 60, () => api.statusText().includes('total'));
  console.log(`test: status bar: ${api.statusText()}`);
  await until('the function to be written', 180, () => document.getText() !== before);
  const after = document.getText();
  assert.ok(!after.includes('def total(xs: list[int]) -> int: ...'), 'the stub is gone');
  await until('the view to show how the run ended', 60, () => api.runs()[0] === 'implement `total` (verified)');
  const [, step = '', ...below] = api.runs();
  assert.match(step, /^  total: decided for [0-9a-f]{8}, ahead by 3 of 3$/);
  assert.ok(below.some((text) => /^    [0-9a-f]{8}: 3 votes$/.test(text)), `the votes are in the view:\n${api.runs().join('\n')}`);
  assert.ok(below.includes('  Layers: 7 of 8 passed'), `the layers are in the view:\n${api.runs().join('\n')}`);
  console.log(`test: runs: ${step.trim()}`);

  const header = after.split('\n').findIndex((text) => text.startsWith('def total')) + 1;
  await until('the gutter to say that it passed', 120, () => api.marks(document.uri).includes(`${header}: passed`));
  // There is a report from the moment at which the server has seen its edit in the text: the mark says so.
  await vscode.commands.executeCommand('zeroerr.client.report');
  await until('the report', 120, () => api.report().includes('total'));
  assert.ok(!api.report().includes('<script'), 'a report has no scripts');
  const tests = api.tests();
  const layers = tests.slice(tests.findIndex((text) => text.startsWith('  total: 7/8 checks')) + 1).slice(0, 8);
  assert.equal(layers.filter((text) => text.startsWith('    ')).length, 8, `eight layers in the test explorer:\n${tests.join('\n')}`);
  assert.ok(document.isDirty, 'the edit is not saved behind the user');

  await vscode.commands.executeCommand('undo');
  assert.equal(document.getText(), before, 'one undo brings the file back');
  assert.deepEqual(api.marks(document.uri).filter((text) => text.endsWith('passed')), [], 'a mark outlived the text it was about');

  editor.selection = new vscode.Selection(line, 4, line, 4);
  await vscode.commands.executeCommand('zeroerr.client.implement');
  await until('the next run to be busy', 60, () => api.statusText().includes('total'));
  await vscode.commands.executeCommand('zeroerr.client.cancel');
  await until('the cancelled run to end', 60, () => !api.statusText().includes('total'));
  assert.equal(document.getText(), before, 'a cancelled run leaves no trace');
  await until('the view to say that it was cancelled', 60, () => api.runs()[0] === 'implement `total` (cancelled)');
  assert.equal(document.getText(), before);
}
