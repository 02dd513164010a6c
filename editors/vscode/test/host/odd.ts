/**
 * Documents that are not as the rest, with the program that the extension brings along: an editor that is
 * read-only for the session, Windows line ends, a file that is renamed, closed or deleted in the middle of a
 * run, a run that is asked for again right after it was cancelled, a notebook.
 */

import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';

import { goTo, servers, start, type Started } from './start';
import { until } from './until';

const STUB = '# @spec Return the sum of xs.\n# @example total([1, 2]) == 3\ndef total(xs: list[int]) -> int: ...\n';
const WRITTEN = STUB.replace(': ...', ':\n    return sum(xs)');

export async function run(): Promise<void> {
  const { api, document } = await start();
  await until('the explorer to list the functions', 120, () => api.tests().length > 0, api.trouble);
  bundled();
  await readOnly(api);
  await windowsLineEnds(api);
  await cancelledAndAskedForAgain(api);
  await renamedMeanwhile(api);
  await deletedMeanwhile(api);
  await closedMeanwhile(api, document.uri);
  await notebook(api);
}

/** No setting names a program, and none is on the `PATH`. */
function bundled(): void {
  const home = vscode.extensions.getExtension('zeroerr.zeroerr')?.extensionPath ?? '';
  const [server] = servers();
  const [program] = fs.readFileSync(`/proc/${server}/cmdline`, 'utf8').split('\0');
  assert.equal(program, path.join(home, 'bin/zeroerr'));
  console.log('test: the program came with the extension');
}

/**
 * VS Code keeps the user's keys out of an editor that is read-only for the session, and lets a language
 * server's edit in: what was asked for is there, the user is told that it would not be saved, and how it is.
 */
async function readOnly(api: Started['api']): Promise<void> {
  const { document } = await opened('read_only.py', STUB);
  const onDisk = () => fs.readFileSync(document.fileName, 'utf8');
  await vscode.commands.executeCommand('workbench.action.files.setActiveEditorReadonlyInSession');
  await vscode.commands.executeCommand('type', { text: 'x' });
  assert.equal(document.getText(), STUB, 'keys are kept out');
  await implement(vscode.window.activeTextEditor as vscode.TextEditor);
  await until('the edit in the editor that is read-only for the session', 120, () => document.getText() === WRITTEN, api.runs);
  await until('its mark', 120, () => api.marks(document.uri).includes('3: passed'), () => api.marks(document.uri));
  await until('the warning', 120, () => /read_only\.py is read-only for this session.*will not save it/.test(api.warning()), api.warning);
  assert.ok(!document.isDirty && onDisk() === STUB, 'nothing is saved behind the user');

  await api.makeWriteable(document);
  assert.equal(document.getText(), WRITTEN);
  assert.ok(document.isDirty, 'the edit is a change now');
  assert.ok(await document.save(), 'it can be saved');
  assert.equal(onDisk(), WRITTEN);
  await vscode.commands.executeCommand('undo');
  assert.equal(document.getText(), STUB, 'one undo brings the text back');
  assert.deepEqual(api.marks(document.uri).filter((mark) => mark.endsWith('passed')), []);
}

async function windowsLineEnds(api: Started['api']): Promise<void> {
  const warned = api.warning();
  const windows = (text: string) => text.replaceAll('\n', '\r\n');
  const editor = await opened('windows.py', windows(STUB));
  await implement(editor);
  await until('the edit with Windows line ends', 120, () => editor.document.getText() !== windows(STUB), api.runs);
  assert.equal(editor.document.getText(), windows(WRITTEN));
  assert.equal(api.warning(), warned, 'an editor that can be saved is none to warn of');
  await vscode.commands.executeCommand('undo');
  assert.equal(editor.document.getText(), windows(STUB));
}

async function cancelledAndAskedForAgain(api: Started['api']): Promise<void> {
  const editor = await opened('again.py', STUB);
  await busy(api, editor);
  await vscode.commands.executeCommand('zeroerr.client.cancel');
  await vscode.commands.executeCommand('zeroerr.client.implement');
  await until('the run that was asked for again', 120, () => editor.document.getText() === WRITTEN, api.runs);
  await until('both ends', 120, () => stands(api).slice(0, 2).join() === 'verified,cancelled', api.runs);
}

async function renamedMeanwhile(api: Started['api']): Promise<void> {
  const editor = await opened('old_name.py', STUB);
  await busy(api, editor);
  const name = vscode.Uri.file(editor.document.fileName.replace('old_name', 'new_name'));
  const rename = new vscode.WorkspaceEdit();
  rename.renameFile(editor.document.uri, name);
  assert.ok(await vscode.workspace.applyEdit(rename), 'the file was renamed');
  await until('the run on the old name to be over', 120, () => stands(api)[0] === 'cancelled', api.runs);
  const renamed = await vscode.window.showTextDocument(name);
  assert.equal(renamed.document.getText(), STUB, 'nothing was put into the file with its new name');
  await implement(renamed);
  await until('the function under its new name', 120, () => renamed.document.getText() === WRITTEN, api.runs);
}

/** The buffer stays as it is while it has unsaved changes, and is written into. */
async function deletedMeanwhile(api: Started['api']): Promise<void> {
  const editor = await opened('deleted.py', STUB);
  await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), '# unsaved\n'));
  await busy(api, editor);
  fs.rmSync(editor.document.fileName);
  await until('the buffer without a file to be written', 120, () => editor.document.getText() === `# unsaved\n${WRITTEN}`, api.runs);
  assert.ok(!fs.existsSync(editor.document.fileName), 'the file stays deleted');
}

async function closedMeanwhile(api: Started['api'], other: vscode.Uri): Promise<void> {
  const editor = await opened('closed.py', STUB);
  const { uri, fileName } = editor.document;
  await busy(api, editor);
  await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  await vscode.window.showTextDocument(other);
  await until('the run on what was closed to be over', 120, () => stands(api)[0] === 'cancelled', api.runs);
  assert.equal(fs.readFileSync(fileName, 'utf8'), STUB);
  assert.deepEqual(api.marks(uri), []);
}

/** Cells are no files of their own: nothing is offered, and asking for it is answered. */
async function notebook(api: Started['api']): Promise<void> {
  const cell = new vscode.NotebookCellData(vscode.NotebookCellKind.Code, STUB, 'python');
  const book = await vscode.workspace.openNotebookDocument('jupyter-notebook', new vscode.NotebookData([cell]));
  await vscode.window.showNotebookDocument(book);
  const document = book.cellAt(0).document;
  const place = new vscode.Range(2, 4, 2, 4);
  const offered = await vscode.commands.executeCommand<vscode.CodeAction[]>('vscode.executeCodeActionProvider', document.uri, place);
  assert.deepEqual(offered.map((action) => action.title).filter((title) => title.includes('verified code')), []);
  assert.equal(document.getText(), STUB);
  assert.equal(api.trouble(), '');
  console.log('test: a notebook is left alone');
}

async function opened(name: string, text: string): Promise<vscode.TextEditor> {
  const [folder] = vscode.workspace.workspaceFolders ?? [];
  assert.ok(folder, 'a folder is open');
  const file = path.join(folder.uri.fsPath, name);
  fs.writeFileSync(file, text);
  // As a user does it: what an extension opens stays open for minutes after its tab has gone.
  await vscode.commands.executeCommand('vscode.open', vscode.Uri.file(file));
  const editor = () => vscode.window.visibleTextEditors.find(({ document }) => document.fileName === file);
  await until(`${name} to be open`, 60, () => editor() !== undefined);
  return editor() as vscode.TextEditor;
}

async function implement(editor: vscode.TextEditor): Promise<void> {
  goTo(editor, 'total');
  await vscode.commands.executeCommand('zeroerr.client.implement');
}

async function busy(api: Started['api'], editor: vscode.TextEditor): Promise<void> {
  await implement(editor);
  await until('the run to be busy', 120, () => stands(api)[0] === 'busy', api.runs);
}

/** How each run stands, the newest first. */
function stands(api: Started['api']): string[] {
  return api.runs().flatMap((line) => /^implement `total` \((\w+)\)$/.exec(line)?.[1] ?? []);
}
