/** With `zeroerr.lsp.confirm_edits`: the diff is shown first; discarded it leaves no trace, accepted it is there. */

import * as assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';

export async function run(page: Page, shot: (name: string) => Promise<void>): Promise<void> {
  const editor = page.locator('.editor-instance .monaco-editor[data-uri$="hello.py"]').first();
  await editor.waitFor();
  await page.keyboard.press('Control+b');
  const generate = editor.locator('.codelens-decoration a', { hasText: 'Generate' }).first();
  await generate.waitFor({ timeout: 120_000 });
  const text = async () => (await editor.locator('.view-lines').innerText()).replaceAll('\u00a0', ' ');
  const stub = 'def total(xs: list[int]) -> int: ...';
  assert.ok((await text()).includes(stub));

  await generate.click();
  const discard = button(page, 'Discard');
  await discard.waitFor({ timeout: 120_000 });
  await page.waitForTimeout(500);
  await shot('preview');
  await discard.click();
  await discard.waitFor({ state: 'detached', timeout: 120_000 });
  assert.ok((await text()).includes(stub), `a discarded edit left a trace:\n${await text()}`);
  console.log('test: discarded without a trace');

  await editor.locator('.codelens-decoration', { hasText: 'Running' }).waitFor({ state: 'detached', timeout: 120_000 });
  await generate.click();
  const apply = button(page, 'Apply');
  await apply.waitFor({ timeout: 120_000 });
  // An edit that needs confirmation is put in only when its box is ticked.
  await page.locator('.bulk-edit-panel .monaco-list-row', { hasText: 'hello.py' }).locator('.edit-checkbox').click();
  await apply.click();
  await editor.locator('.codelens-decoration', { hasText: /\d\/8 checks/ }).waitFor({ timeout: 120_000 });
  assert.ok(!(await text()).includes(stub), `the accepted edit is not there:\n${await text()}`);
  console.log('test: accepted');
}

function button(page: Page, name: string): Locator {
  return page.locator('.bulk-edit-panel .monaco-button', { hasText: name });
}
