/**
 * Editors that are read-only for the session. VS Code keeps the user's keys out of them and lets the edit of
 * a language server in, but takes it for no change: it would neither mark the file nor save it.
 */

import * as vscode from 'vscode';

/** Applies an edit; the files in which it is shown and would not be saved. */
export async function applied<T>(uris: readonly vscode.Uri[], apply: () => Promise<T>): Promise<{ result: T; unsaved: vscode.TextDocument[] }> {
  const documents = vscode.workspace.textDocuments.filter(({ uri }) => uris.some((other) => other.toString() === uri.toString()));
  const before = new Map(documents.map((document) => [document, document.version]));
  const result = await apply();
  const unsaved = documents.filter((document) => document.version !== before.get(document) && !document.isDirty && !document.isClosed);
  return { result, unsaved };
}

/** Makes an editor writeable, and what stands in it a change that can be saved. */
export async function makeWriteable(document: vscode.TextDocument): Promise<void> {
  await vscode.window.showTextDocument(document);
  await vscode.commands.executeCommand('workbench.action.files.setActiveEditorWriteableInSession');
  // Only a change of an editor that is writeable marks the file.
  await vscode.commands.executeCommand('undo');
  await vscode.commands.executeCommand('redo');
}

/** What the user is told. */
export function explanation(document: vscode.TextDocument): string {
  const name = vscode.workspace.asRelativePath(document.uri);
  return `${name} is read-only for this session: VS Code shows the verified edit in it, and will not save it.`;
}
