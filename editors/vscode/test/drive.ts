/**
 * Runs a suite in a real VS Code: its server (from the npm package code-server) and Chromium.
 *
 *   node test/drive.ts SUITE --vscode DIR --browser DIR --server FILE --file FILE [--bundle] [--shots DIR] [--settings JSON]
 *
 * With `--bundle` the extension is one that brings the server along, and no setting names it.
 * Without `--browser` (see browser.ts) the variable CHROMIUM names one, or it is /usr/bin/chromium.
 *
 * `host-NAME` runs `test/host/NAME` inside the extension host; `ui-NAME` runs `test/ui/NAME` on the
 * page, as a user with a mouse. Leaves with 0 when the suite passed, 1 when it failed.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { buildSync } from 'esbuild';
import { chromium, type Browser, type Page } from 'playwright-core';
import { browserIn } from './browser.ts';

const source = path.resolve(import.meta.dirname, '..');
const patience = 900_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    vscode: { type: 'string' },
    browser: { type: 'string' },
    server: { type: 'string' },
    file: { type: 'string' },
    shots: { type: 'string' },
    settings: { type: 'string' },
    bundle: { type: 'boolean' },
  },
});
const suite = positionals[0] ?? '';
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'zeroerr-vscode-'));
const workspace = path.join(home, 'workspace');
const extension = values.bundle === true ? path.join(home, 'zeroerr') : source;
let server: ChildProcess | undefined;
let browser: Browser | undefined;
let code = 1;
try {
  code = await withTimeout(main(), patience);
} catch (error) {
  console.error(error);
} finally {
  await browser?.close();
  if (server?.pid !== undefined) {
    stopGroup(server.pid);
  }
  fs.rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
process.exit(code);

async function main(): Promise<number> {
  const vscode = required('vscode');
  fs.mkdirSync(path.join(workspace, '.git'), { recursive: true });
  fs.copyFileSync(required('file'), path.join(workspace, 'hello.py'));
  writeJson(path.join(home, 'user/Machine/settings.json'), {
    ...(values.server === undefined || values.bundle === true ? {} : { 'zeroerr.server.path': path.resolve(values.server) }),
    'workbench.startupEditor': 'none',
    'workbench.colorTheme': 'Default Dark Modern',
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'editor.minimap.enabled': false,
    'files.autoSave': 'off',
    'editor.hover.above': false,
    'window.title': '${activeEditorShort}',
    'chat.disableAIFeatures': true,
    'telemetry.telemetryLevel': 'off',
    ...(JSON.parse(values.settings ?? '{}') as Record<string, unknown>),
  });
  if (values.bundle === true) {
    bundle(path.resolve(values.server ?? ''));
  }
  const port = await freePort();
  server = startServer(vscode, port);
  await waitForServer(port);

  browser = await chromium.launch({
    ...(values.browser === undefined ? { executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium' } : browserIn(path.resolve(values.browser))),
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  const page = await browser.newPage({ viewport: { width: 1120, height: 760 } });
  page.setDefaultTimeout(180_000);
  return suite.startsWith('host-') ? inHost(page, port) : onPage(page, port);
}

/** What a package for one platform has in it: the extension, and the server in `bin`. */
function bundle(program: string): void {
  for (const part of ['package.json', 'dist', 'media']) {
    fs.cpSync(path.join(source, part), path.join(extension, part), { recursive: true });
  }
  fs.mkdirSync(path.join(extension, 'bin'));
  fs.symlinkSync(program, path.join(extension, 'bin/zeroerr'));
}

/** Opens the workspace with the extension under test and a suite that runs beside it. */
async function inHost(page: Page, port: number): Promise<number> {
  const out = path.join(home, 'suite.js');
  buildSync({
    entryPoints: [path.join(source, 'test/host', `${suite.slice(5)}.ts`)],
    outfile: out,
    bundle: true,
    platform: 'node',
    external: ['vscode'],
  });
  const exit = new Promise<number>((resolve) => void page.exposeFunction('codeAutomationExit', resolve));
  // Everything that VS Code logs comes by here; the suite's own lines carry a mark.
  const lines: string[] = [];
  await page.exposeFunction('codeAutomationLog', (_kind: string, args: unknown[]) => {
    const line = args.map(String).join(' ');
    lines.push(line);
    if (line.startsWith('test: ')) {
      console.log(line);
    }
  });
  await page.goto(address(port, [['extensionTestsPath', remote(port, out)]]));
  const result = await exit;
  if (result !== 0) {
    console.error(lines.at(-1));
  }
  return result;
}

/** Opens the file and hands the page to a suite that clicks and reads. */
async function onPage(page: Page, port: number): Promise<number> {
  await page.goto(address(port, [['openFile', remote(port, path.join(workspace, 'hello.py'))]]));
  const { run } = (await import(`./ui/${suite.slice(3)}.ts`)) as { run: (page: Page, shot: (name: string) => Promise<void>) => Promise<void> };
  const shot = async (name: string) => {
    if (values.shots !== undefined) {
      await page.screenshot({ path: path.join(values.shots, `${name}.png`) });
    }
  };
  try {
    await run(page, shot);
    return 0;
  } catch (error) {
    await shot('failure');
    throw error;
  }
}

function address(port: number, payload: string[][]): string {
  const all = [['extensionDevelopmentPath', remote(port, extension)], ...payload];
  return `http://127.0.0.1:${port}/?folder=${workspace}&payload=${encodeURIComponent(JSON.stringify(all))}`;
}

function remote(port: number, file: string): string {
  return `vscode-remote://127.0.0.1:${port}${file}`;
}

function startServer(vscode: string, port: number): ChildProcess {
  const flags = ['without-connection-token', 'accept-server-license-terms', 'disable-telemetry', 'disable-workspace-trust', 'enable-smoke-test-driver'];
  const folders = { 'extensions-dir': 'extensions', 'server-data-dir': 'server', 'user-data-dir': 'user' };
  const options = Object.entries(folders).flatMap(([name, folder]) => [`--${name}`, path.join(home, folder)]);
  const log = fs.openSync(path.join(home, 'server.log'), 'w');
  return spawn(
    process.execPath,
    [path.join(vscode, 'out/server-main.js'), '--host', '127.0.0.1', '--port', String(port), ...flags.map((f) => `--${f}`), ...options],
    { stdio: ['ignore', log, log], detached: true },
  );
}

async function waitForServer(port: number): Promise<void> {
  for (;;) {
    if (server?.exitCode !== null) {
      throw new Error(`the VS Code server ended:\n${fs.readFileSync(path.join(home, 'server.log'), 'utf8')}`);
    }
    const answer = await fetch(`http://127.0.0.1:${port}/version`).catch(() => undefined);
    if (answer?.ok) {
      return;
    }
    await sleep(200);
  }
}

/** The server leads a process group of its own, which its extension hosts and their children join. */
function stopGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
      throw error;
    }
  }
}

async function freePort(): Promise<number> {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as net.AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

function withTimeout<T>(work: Promise<T>, ms: number): Promise<T> {
  const late = sleep(ms, undefined, { ref: false }).then(() => {
    throw new Error(`no result after ${ms / 1000} s`);
  });
  return Promise.race([work, late]);
}

function writeJson(file: string, value: unknown): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify(value));
}

function required(name: 'vscode' | 'file'): string {
  const value = values[name];
  if (value === undefined) {
    throw new Error(`--${name} is missing`);
  }
  return path.resolve(value);
}
