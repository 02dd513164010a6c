/** What every suite in the extension host begins with. */

import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';

import type { Api } from '../../src/extension';

export interface Started {
  readonly document: vscode.TextDocument;
  readonly editor: vscode.TextEditor;
  readonly api: Api;
}

/** Opens a file of the workspace, and has the extension started. */
export async function start(name = 'hello.py'): Promise<Started> {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder, 'a folder is open');
  const document = await vscode.workspace.openTextDocument(path.join(folder.uri.fsPath, name));
  const editor = await vscode.window.showTextDocument(document);
  const extension = vscode.extensions.getExtension<Api>('zeroerr.zeroerr');
  assert.ok(extension, 'the extension is there');
  return { document, editor, api: await extension.activate() };
}

/** The line of a function's header. */
export function headerOf(document: vscode.TextDocument, name: string): number {
  const line = document.getText().split('\n').findIndex((text) => text.startsWith(`def ${name}(`));
  assert.notEqual(line, -1, `${name} is in the file:\n${document.getText()}`);
  return line;
}

/** Puts the cursor on a function. */
export function goTo(editor: vscode.TextEditor, name: string): number {
  const line = headerOf(editor.document, name);
  editor.selection = new vscode.Selection(line, 4, line, 4);
  return line;
}

/** The code actions at the cursor. */
export async function actions(editor: vscode.TextEditor): Promise<vscode.CodeAction[]> {
  return vscode.commands.executeCommand<vscode.CodeAction[]>('vscode.executeCodeActionProvider', editor.document.uri, editor.selection);
}

/** Runs a code action as its entry in the menu does. */
export async function choose(action: vscode.CodeAction): Promise<void> {
  assert.ok(action.edit !== undefined || action.command !== undefined, `${action.title} does something`);
  if (action.edit !== undefined) {
    await vscode.workspace.applyEdit(action.edit);
  }
  if (action.command !== undefined) {
    await vscode.commands.executeCommand(action.command.command, ...(action.command.arguments ?? []));
  }
}

/** The servers that this extension host started and that have not ended. */
export function servers(): number[] {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => isServer(pid)).map(Number);
}

function isServer(pid: string): boolean {
  try {
    // pid (name) state parent: one that has ended is a zombie until its end was seen.
    const [, name, state, parent] = /\((.*)\) (\S) (\d+)/.exec(fs.readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return name === 'zeroerr' && state !== 'Z' && parent === String(process.pid);
  } catch {
    return false;
  }
}
