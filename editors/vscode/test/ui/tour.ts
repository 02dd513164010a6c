/**
 * As a user with mouse and keys: all stubs of a file at once, followed in the Runs view; a suggested example,
 * first a guess and then accepted; the test explorer; a layer that fails, and the function that is mended.
 */

import * as assert from 'node:assert/strict';
import type { Page } from 'playwright-core';

import { choose, textOf } from './until.ts';

export async function run(page: Page, shot: (name: string) => Promise<void>): Promise<void> {
  const editor = page.locator('.editor-instance .monaco-editor[data-uri$="hello.py"]').first();
  await editor.waitFor();
  const lens = (text: string | RegExp) => editor.locator('.codelens-decoration', { hasText: text });
  const line = (text: RegExp) => editor.locator('.view-line', { hasText: text }).first();
  const view = (name: string) => page.locator(`.activitybar [aria-label^="${name}"]`).first();
  const row = (text: string | RegExp) => page.locator('.pane-body .monaco-list-row', { hasText: text });
  await lens('Generate').first().waitFor();

  await view('zeroerr').click();
  await row('Nothing ran yet').or(page.locator('.pane-body', { hasText: 'Nothing ran yet' })).first().waitFor();
  await line(/^def\s+evens\(/).click();
  await choose(page, 'Implement all 3 stubs of this file');
  await row('implement `evens`').waitFor();
  await row('implement `backwards`').waitFor();
  await row(/\d votes?$/).first().waitFor();
  await shot('all-stubs');
  await line(/x\s+%\s+2\s+==\s+0/).waitFor();
  await line(/text\[::-1\]/).waitFor();
  await lens(/no edit @v/).waitFor();
  const ticks = page.locator('.glyph-margin-widgets .codicon-testing-passed-icon');
  await ticks.nth(1).waitFor();
  await page.waitForTimeout(1_000);
  assert.equal(await ticks.count(), 2, 'no tick stands where there is no edit');
  console.log('test: all stubs are written, and one has no edit');

  await page.keyboard.press('Control+b');
  await line(/^def\s+first_word\(/).click();
  await choose(page, 'as a guess', async () => {
    await page.mouse.move(900, 700);
    await page.waitForTimeout(500);
    await shot('guess');
  });
  const guess = line(/#\s+@example\?\s+first_word\(/);
  await guess.waitFor();
  await guess.click();
  await choose(page, 'Accept the guess');
  await line(/#\s+@example\s+first_word\(/).waitFor();
  await line(/^def\s+first_word\(/).click();
  await choose(page, 'Implement with verified code');
  await line(/text\.split\('\s'\)\[0\]/).waitFor();
  console.log('test: the accepted guess made the function');

  await view('Testing').click();
  const test = (name: RegExp) => page.locator('.test-explorer .monaco-list-row', { hasText: name }).first();
  await test(/hello\.py/).click();
  await page.keyboard.press('ArrowRight');
  await test(/^total/).click();
  await test(/^total/).locator('.action-label[aria-label^="Run Test"]').click();
  await lens(/tests failed/).waitFor();
  await test(/^total/).click();
  await page.keyboard.press('ArrowRight');
  await test(/^performance/).waitFor();
  await page.mouse.move(900, 700);
  await page.waitForTimeout(1_000);
  await shot('verify');
  console.log('test: the test explorer says what fails');

  await page.locator('.xterm-rows', { hasText: 'total tests: failed: 2 examples, 1 failed' }).waitFor();
  await page.keyboard.press('Control+j');
  await view('Testing').click();
  await line(/^def\s+total\(/).click();
  await page.keyboard.press('Alt+F8');
  await page.locator('.marker-widget', { hasText: 'gave 9, expected 6' }).waitFor();
  await choose(page, 'Implement with verified code', async () => {
    await page.mouse.move(900, 700);
    await page.waitForTimeout(500);
    await shot('failing');
  });
  await line(/return\s+sum\(xs\)/).waitFor();
  await lens(/tests failed/).waitFor({ state: 'detached' });
  assert.ok(!(await textOf(editor)).includes('len(xs) * 3'), 'the wrong line is gone');
  console.log('test: what failed is mended');
}
