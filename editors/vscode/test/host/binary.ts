/** Programs that are no good, one after the other: none, one that ends at once, one of another release, the right one. */

import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';

import { servers, start } from './start';
import { until } from './until';

/** A server of another release, as far as this test needs one. */
const OTHER_RELEASE = `
let input = Buffer.alloc(0);
process.stdin.on('data', (more) => {
  input = Buffer.concat([input, more]);
  for (;;) {
    const head = /^Content-Length: (\\d+)\\r\\n\\r\\n/.exec(input.toString('latin1'));
    if (head === null || input.length < head[0].length + Number(head[1])) return;
    const message = JSON.parse(input.subarray(head[0].length, head[0].length + Number(head[1])).toString());
    input = input.subarray(head[0].length + Number(head[1]));
    if (message.method === 'exit') process.exit(0);
    if (message.id === undefined) continue;
    const result = message.method === 'initialize' ? { capabilities: {}, serverInfo: { name: 'zeroerr', version: '99.1.0' } } : null;
    const body = JSON.stringify({ jsonrpc: '2.0', id: message.id, result });
    process.stdout.write('Content-Length: ' + Buffer.byteLength(body) + '\\r\\n\\r\\n' + body);
  }
});
`;

export async function run(): Promise<void> {
  const { api } = await start();
  const right = process.env['E2E_SERVER'];
  assert.ok(right !== undefined, 'the test says where the right program is');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'zeroerr-programs-'));
  const program = (name: string, text: string) => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text, { mode: 0o755 });
    return file;
  };
  const use = (file: string) => vscode.workspace.getConfiguration('zeroerr').update('server.path', file, vscode.ConfigurationTarget.Global);

  await until('the status bar to warn', 120, () => api.statusText().includes('$(warning)'), api.statusText);
  assert.match(api.trouble(), /zeroerr\.server\.path names .*, which is no program that can be run/);
  await vscode.commands.executeCommand('zeroerr.client.implement');
  await vscode.commands.executeCommand('zeroerr.client.cancel');

  await use(program('ends', '#!/bin/sh\necho cannot start >&2\nexit 3\n'));
  await until('one that ends at once to be told', 120, () => /ended before it was ready/.test(api.trouble()), api.trouble);
  await vscode.commands.executeCommand('zeroerr.client.implement');

  await use(program('text', 'neither a program nor a script\n'));
  await until('one that is no program to be told', 120, () => /text did not start|ended before it was ready/.test(api.trouble()), api.trouble);

  await use(program('other', `#!${process.execPath}\n${OTHER_RELEASE}`));
  await until('another release to be told', 120, () => /the program has version 99\.1\.0/.test(api.warning()), () => [api.warning(), api.trouble()]);
  assert.equal(api.trouble(), '', 'it runs all the same');

  await use(right);
  await until('the right one to serve', 120, () => servers().length === 1 && api.tests().length > 0, api.trouble);
  assert.equal(api.warning(), '', 'there is nothing to warn of');
}
