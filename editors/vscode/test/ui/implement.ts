/** As a user with a mouse: the light bulb, the lens, the hover, undo. Takes the pictures of the docs. */

import * as assert from 'node:assert/strict';
import type { Page } from 'playwright-core';

import { pressUntil } from './until.ts';

export async function run(page: Page, shot: (name: string) => Promise<void>): Promise<void> {
  const editor = page.locator('.monaco-editor[data-uri$="hello.py"]');
  await editor.waitFor();
  await page.keyboard.press('Control+b');
  await editor.locator('.codelens-decoration', { hasText: 'Generate' }).first().waitFor({ timeout: 120_000 });
  const line = editor.locator('.view-line', { hasText: /^def\s+total\(/ });
  await line.click();
  const entry = page.locator('.action-widget .monaco-list-row', { hasText: 'Implement with verified code' });
  await pressUntil(page, 'Control+.', entry);
  await shot('light-bulb');
  await entry.click();

  const busy = page.locator('[id="zeroerr.zeroerr.zeroerr.status"]', { hasText: 'total' });
  await busy.waitFor({ timeout: 120_000 });
  await shot('busy');
  await busy.waitFor({ state: 'detached', timeout: 180_000 });
  const lens = editor.locator('.codelens-decoration', { hasText: /\d\/8 checks/ });
  await lens.waitFor({ timeout: 120_000 });
  console.log(`test: the lens says ${await lens.innerText()}`);
  // The progress ends before the edit comes; the lens follows it.
  const text = (await editor.locator('.view-lines').innerText()).replaceAll('\u00a0', ' ');
  assert.ok(!text.includes('def total(xs: list[int]) -> int: ...'), `the stub is gone:\n${text}`);

  // At the end of the line, so that the picture shows the code beside the hover.
  await line.getByText('int').last().hover();
  const hover = page.locator('.monaco-hover:visible', { hasText: 'votes' });
  await hover.waitFor({ timeout: 120_000 });
  await hover.hover();
  for (let turn = 0; turn < 10; turn += 1) {
    await page.mouse.wheel(0, 300);
    await page.waitForTimeout(100);
  }
  await page.waitForTimeout(500);
  await shot('verified');

  await page.keyboard.press('Escape');
  await page.locator('.activitybar .action-label[aria-label="zeroerr"], .activitybar [aria-label^="zeroerr"]').first().click();
  const ended = page.locator('.pane-body .monaco-list-row', { hasText: 'implement `total`' });
  await ended.waitFor({ timeout: 120_000 });
  await ended.click();
  await page.locator('.pane-body .monaco-list-row', { hasText: 'ahead by' }).first().waitFor({ timeout: 120_000 });
  await page.locator('.pane-body .monaco-list-row', { hasText: 'Layers' }).first().waitFor({ timeout: 120_000 });
  await page.waitForTimeout(500);
  await shot('runs');

  await page.keyboard.press('Control+b');
  await page.keyboard.press('F1');
  await page.keyboard.type('zeroerr: Show Report');
  await page.keyboard.press('Enter');
  const report = page.frameLocator('iframe.webview').frameLocator('iframe#active-frame');
  await report.getByText('checks passed').first().waitFor({ timeout: 120_000 });
  await page.waitForTimeout(500);
  await shot('report');
}
