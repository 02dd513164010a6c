/** What the server is told of the editor's settings. */

import * as vscode from 'vscode';

/** Settings of this extension itself: the server does not know them. */
const OWN = new Set(['server', 'trace']);

/**
 * The `zeroerr` settings that somebody has set. Defaults are left out: the editor's settings are
 * the last layer, so sending them would undo the user's own configuration file.
 */
export function settingsForServer(scope?: vscode.Uri): Record<string, unknown> {
  const settings = vscode.workspace.getConfiguration('zeroerr', scope ?? null);
  const known: unknown = vscode.extensions.getExtension('zeroerr.zeroerr')?.packageJSON?.contributes?.configuration?.properties;
  const result: Record<string, unknown> = {};
  for (const key of Object.keys((known ?? {}) as Record<string, unknown>)) {
    const parts = key.split('.').slice(1);
    if (parts[0] === undefined || OWN.has(parts[0])) {
      continue;
    }
    const found = settings.inspect(parts.join('.'));
    const value = found?.workspaceFolderValue ?? found?.workspaceValue ?? found?.globalValue;
    if (value !== undefined) {
      put(result, parts, value);
    }
  }
  return result;
}

function put(target: Record<string, unknown>, parts: readonly string[], value: unknown): void {
  const [head, ...rest] = parts;
  if (head === undefined) {
    return;
  }
  if (rest.length === 0) {
    target[head] = value;
    return;
  }
  const inner = (target[head] ??= {}) as Record<string, unknown>;
  put(inner, rest, value);
}
