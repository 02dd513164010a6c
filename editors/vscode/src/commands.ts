/** The commands of the palette, the context menu and the status bar. */

import * as vscode from 'vscode';
import { CodeActionRequest, ExecuteCommandRequest, type Command, type LanguageClient } from 'vscode-languageclient/node';

/** What the commands need of the extension. */
export interface Host {
  /** The running client, or nothing after having told the user why there is none. */
  client(): LanguageClient | undefined;
  restart(): Promise<void>;
  readonly log: vscode.LogOutputChannel;
  readonly busy: boolean;
}

/** Registers all commands. */
export function registerCommands(host: Host): vscode.Disposable[] {
  const table: Record<string, () => Promise<void> | void> = {
    implement: () => runAtCursor(host, 'zeroerr.implement'),
    verify: () => runAtCursor(host, 'zeroerr.verify'),
    cancel: () => run(host, { title: 'cancel', command: 'zeroerr.cancel' }),
    status: () => run(host, { title: 'status', command: 'zeroerr.status' }),
    report: () => run(host, { title: 'report', command: 'zeroerr.showReport' }),
    restart: () => host.restart(),
    log: () => host.log.show(),
    menu: () => menu(host),
  };
  return Object.entries(table).map(([name, command]) => vscode.commands.registerCommand(`zeroerr.client.${name}`, command));
}

/**
 * Asks the server for its actions at the cursor and runs the one with this command: found by
 * command, never by title, and nothing is guessed about functions on this side.
 */
async function runAtCursor(host: Host, command: string): Promise<void> {
  const client = host.client();
  const editor = vscode.window.activeTextEditor;
  if (client === undefined || editor === undefined) {
    return;
  }
  const actions = await client.sendRequest(CodeActionRequest.type, {
    textDocument: client.code2ProtocolConverter.asTextDocumentIdentifier(editor.document),
    range: client.code2ProtocolConverter.asRange(editor.selection),
    context: { diagnostics: [] },
  });
  for (const action of actions ?? []) {
    if (typeof action.command === 'object' && action.command.command === command && !('disabled' in action && action.disabled)) {
      return run(host, action.command);
    }
  }
  void vscode.window.showInformationMessage('zeroerr: no function with a spec is under the cursor.');
}

async function run(host: Host, command: Command): Promise<void> {
  const client = host.client();
  if (client !== undefined) {
    const params = { command: command.command, ...(command.arguments === undefined ? {} : { arguments: command.arguments }) };
    await client.sendRequest(ExecuteCommandRequest.type, params);
  }
}

async function menu(host: Host): Promise<void> {
  const entries: [string, string][] = [
    ['$(info) Show status', 'status'],
    ['$(graph) Show the report of the last run', 'report'],
    ['$(output) Show log', 'log'],
    ['$(refresh) Restart server', 'restart'],
  ];
  if (host.busy) {
    entries.unshift(['$(debug-stop) Cancel what runs', 'cancel']);
  }
  const items = entries.map(([label, command]) => ({ label, command }));
  const chosen = await vscode.window.showQuickPick(items, { title: 'zeroerr' });
  if (chosen !== undefined) {
    await vscode.commands.executeCommand(`zeroerr.client.${chosen.command}`);
  }
}
