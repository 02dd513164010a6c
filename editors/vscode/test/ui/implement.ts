/** As a user with a mouse: the light bulb, the lens, the hover, undo. Takes the pictures of the docs. */

import * as assert from 'node:assert/strict';
import type { Page } from 'playwright-core';

export async function run(page: Page, shot: (name: string) => Promise<void>): Promise<void> {
  const editor = page.locator('.monaco-editor[data-uri$="hello.py"]');
  const stub = editor.locator('.view-line', { hasText: /^def\s+total\(/ });
  await stub.click();
  await editor.locator('[class*="codicon-light"][class*="bulb"]:visible, [class*="lightbulb"]:visible').first().click({ timeout: 30_000 });
  const entry = page.locator('.action-widget .monaco-list-row', { hasText: 'Implement with verified code' });
  await entry.waitFor({ timeout: 30_000 });
  await shot('light-bulb');
  await entry.click();

  const busy = page.locator('[id="zeroerr.zeroerr.zeroerr.status"]', { hasText: 'total' });
  await busy.waitFor({ timeout: 30_000 });
  await shot('busy');
  await busy.waitFor({ state: 'detached', timeout: 180_000 });
  const text = (await editor.locator('.view-lines').innerText()).replaceAll('\u00a0', ' ');
  assert.ok(!text.includes('def total(xs: list[int]) -> int: ...'), `the stub is gone:\n${text}`);

  await page.keyboard.press('Escape');
  await editor.locator('.view-line', { hasText: /^def\s+total\(/ }).getByText('total').first().hover();
  await page.locator('.monaco-hover:visible').first().waitFor({ timeout: 10_000 });
  await page.waitForTimeout(500);
  await shot('verified');
}
