/**
 * With `zeroerr.lsp.confirm_edits`, as a user with mouse and keys: an abstention and why, the answer to its
 * question, the diff that follows: discarded, overtaken by typing, accepted; a selection after one instruction.
 */

import * as assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';

import { choose, command, hoverUntil, textOf } from './until.ts';

const STUB = 'def last(xs: list[int]) -> int: ...';

export async function run(page: Page, shot: (name: string) => Promise<void>): Promise<void> {
  const editor = page.locator('.editor-instance .monaco-editor[data-uri$="hello.py"]').first();
  await editor.waitFor();
  await page.keyboard.press('Control+b');
  await editor.locator('.codelens-decoration', { hasText: 'Generate' }).first().waitFor();
  const line = editor.locator('.view-line', { hasText: /^def\s+last\(/ });
  await line.click();
  await choose(page, 'Implement with verified code');
  await editor.locator('.codelens-decoration', { hasText: 'no edit @v' }).waitFor();
  assert.ok((await textOf(editor)).includes(STUB), 'an abstention leaves no trace');

  const hover = page.locator('.monaco-hover:visible', { hasText: 'candidates differ on' }).first();
  await hoverUntil(page, line.getByText('int').last(), hover);
  await page.waitForTimeout(500);
  await shot('abstained');
  await page.keyboard.press('Escape');
  await line.click();
  await choose(page, 'should raise', () => shot('answers'));
  await editor.locator('.view-line', { hasText: '@raises IndexError last([])' }).waitFor();
  console.log('test: the answer is in the spec');

  await previewed(page);
  await shot('preview');
  const before = await textOf(editor);
  await button(page, 'Discard').click();
  await ended(page, editor);
  assert.equal(await textOf(editor), before, 'a discarded edit leaves no trace');
  assert.ok(before.includes(STUB), before);
  console.log('test: discarded without a trace');

  const generate = editor.locator('.codelens-decoration a', { hasText: 'Generate' }).first();
  await generate.click();
  await previewed(page);
  await line.click();
  await page.keyboard.press('End');
  await page.keyboard.type('  # later');
  await accept(page);
  // VS Code says that the file was changed meanwhile, and puts nothing in.
  await page.waitForTimeout(2_000);
  assert.ok((await textOf(editor)).includes(`${STUB}  # later`), `an edit overtook the user:\n${await textOf(editor)}`);
  console.log('test: typing between the offer and its acceptance wins');
  await page.keyboard.press('Escape');
  if (await button(page, 'Discard').isVisible()) {
    await button(page, 'Discard').click();
  }
  await ended(page, editor);

  await generate.click();
  await previewed(page);
  await accept(page);
  await editor.locator('.codelens-decoration', { hasText: /\d\/8 checks/ }).first().waitFor();
  assert.ok(!(await textOf(editor)).includes(STUB), `the accepted edit is not there:\n${await textOf(editor)}`);
  console.log('test: accepted');

  await editor.locator('.view-line', { hasText: /^def\s+doubled\(/ }).click();
  await page.keyboard.press('Home');
  for (let turn = 0; turn < 7; turn += 1) {
    await page.keyboard.press('Shift+ArrowDown');
  }
  await command(page, 'zeroerr: Implement Selection');
  const box = page.locator('.quick-input-widget input:visible');
  await page.locator('.quick-input-title', { hasText: 'Implement Selection' }).waitFor();
  await box.fill('return each number twice as large');
  await page.waitForTimeout(500);
  await shot('instruction');
  await page.keyboard.press('Enter');
  await previewed(page);
  await accept(page);
  await editor.locator('.view-line', { hasText: /\[2\s+\*\s+x\s+for\s+x\s+in\s+xs\]/ }).waitFor();
  console.log('test: the selection is written');
}

async function previewed(page: Page): Promise<void> {
  await button(page, 'Discard').waitFor();
  await page.waitForTimeout(500);
}

/** An edit that needs confirmation is put in only when its box is ticked. */
async function accept(page: Page): Promise<void> {
  await page.locator('.bulk-edit-panel .monaco-list-row', { hasText: 'hello.py' }).locator('.edit-checkbox').click();
  await button(page, 'Apply').click();
}

async function ended(page: Page, editor: Locator): Promise<void> {
  await button(page, 'Discard').waitFor({ state: 'detached' });
  await editor.locator('.codelens-decoration', { hasText: 'Running' }).waitFor({ state: 'detached' });
}

function button(page: Page, name: string): Locator {
  return page.locator('.bulk-edit-panel .monaco-button', { hasText: name });
}
