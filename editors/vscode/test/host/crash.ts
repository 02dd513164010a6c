/** The server dies in the middle of a run: nothing is claimed any more, it starts again, and works; but not for ever. */

import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as vscode from 'vscode';

import { goTo, servers, start } from './start';
import { until } from './until';

export async function run(): Promise<void> {
  const { document, editor, api } = await start();
  const before = document.getText();
  goTo(editor, 'total');
  await until('the explorer to list the functions', 120, () => api.tests().length > 0, api.trouble);

  await vscode.commands.executeCommand('zeroerr.client.implement');
  await until('the run to be busy', 120, () => api.runs()[0] === 'implement `total` (busy)', api.runs);
  let old = await killWhileWriting();
  await until('the run to be given up', 120, () => api.runs()[0] === 'implement `total` (error)', api.runs);
  assert.equal(document.getText(), before, 'nothing was written');
  await until('another server', 120, () => isOther(old), () => ({ servers: servers(), trouble: api.trouble() }));
  await until('its functions in the explorer', 120, () => api.tests().length > 0, api.trouble);
  assert.equal(api.trouble(), '', 'the trouble is over');

  await vscode.commands.executeCommand('zeroerr.client.implement');
  await until('the function to be written by the new server', 240, () => document.getText() !== before, api.runs);
  await until('the view to show how the run ended', 120, () => api.runs()[0] === 'implement `total` (verified)', api.runs);

  for (let death = 2; death < 5; death += 1) {
    old = await killWhileWriting();
    await until(`another server after ${death} deaths`, 120, () => isOther(old), () => ({ servers: servers(), trouble: api.trouble() }));
    await until(`its functions after ${death} deaths`, 120, () => api.tests().length > 0, api.trouble);
  }
  await killWhileWriting();
  await until('the server to be left stopped', 120, () => /ended 5 times/.test(api.trouble()), api.trouble);
  assert.match(api.statusText(), /warning/);
  assert.deepEqual(api.tests(), [], 'nothing is claimed without a server');
  await vscode.commands.executeCommand('zeroerr.client.restart');
  await until('the server that the user asked for', 120, () => servers().length === 1 && api.tests().length > 0, api.trouble);
}

function isOther(old: number): boolean {
  const [server] = servers();
  return server !== undefined && server !== old;
}

/**
 * Kills the server, and writes to it before its end was seen: that write fails, as any write does that
 * happens to fall between the two.
 */
async function killWhileWriting(): Promise<number> {
  const [server] = servers();
  assert.ok(server !== undefined, 'a server runs');
  await new Promise<void>((resolve) => {
    // In the phase of the event loop in which input is handled, so that the write below comes before
    // the end of the server's output.
    fs.readFile('/proc/self/stat', () => {
      process.kill(server, 'SIGKILL');
      // Until the last of its threads has gone, and with it the other end of the pipe.
      while (servers().includes(server) || fs.readdirSync(`/proc/${server}/task`).length > 1) {
        // Nothing else may happen meanwhile.
      }
      void vscode.commands.executeCommand('zeroerr.client.cancel').then(undefined, () => undefined);
      resolve();
    });
  });
  return server;
}
