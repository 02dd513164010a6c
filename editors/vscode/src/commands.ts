/** The commands of the palette, the context menu and the status bar. */

import * as vscode from 'vscode';
import { ExecuteCommandRequest, type LanguageClient } from 'vscode-languageclient/node';

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
    implementSelection: () => implementSelection(host),
    verify: () => runAtCursor(host, 'zeroerr.verify'),
    cancel: () => run(host, 'zeroerr.cancel'),
    status: () => run(host, 'zeroerr.status'),
    report: () => run(host, 'zeroerr.showReport'),
    restart: () => host.restart(),
    log: () => host.log.show(),
    menu: () => menu(host),
  };
  return Object.entries(table).map(([name, command]) => vscode.commands.registerCommand(`zeroerr.client.${name}`, command));
}

/** Sends a command on the function at the cursor; the server knows which one that is. */
async function runAtCursor(host: Host, command: string): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const convert = host.client()?.code2ProtocolConverter;
  if (editor !== undefined && convert !== undefined) {
    const place = { uri: convert.asUri(editor.document.uri), position: convert.asPosition(editor.selection.active) };
    await run(host, command, place);
  }
}

/** Has a function checked as it stands. */
export async function verifyFunction(host: Host, uri: vscode.Uri, name: string): Promise<void> {
  const convert = host.client()?.code2ProtocolConverter;
  if (convert !== undefined) {
    await run(host, 'zeroerr.verify', { uri: convert.asUri(uri), function: name });
  }
}

/** Asks for one instruction line, and has the selected function written anew after it. */
async function implementSelection(host: Host): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const convert = host.client()?.code2ProtocolConverter;
  if (editor === undefined || convert === undefined) {
    return;
  }
  const { document, selection } = editor;
  const instruction = await vscode.window.showInputBox({
    title: 'zeroerr: Implement Selection',
    prompt: 'What is it to do?',
    placeHolder: 'Return the sum of the numbers in xs; 0 for an empty list.',
    ignoreFocusOut: true,
  });
  if (instruction !== undefined && instruction.trim() !== '') {
    await run(host, 'zeroerr.implement', { uri: convert.asUri(document.uri), range: convert.asRange(selection), instruction });
  }
}

async function run(host: Host, command: string, ...args: unknown[]): Promise<void> {
  await host.client()?.sendRequest(ExecuteCommandRequest.type, { command, arguments: args });
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
