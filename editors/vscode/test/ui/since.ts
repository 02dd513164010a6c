/**
 * What comes after the first verdict, as a user with mouse and keys: a counterexample and the example it
 * becomes, a function written anew after its spec changed, what changed since is checked, a run is cancelled.
 */

import * as assert from 'node:assert/strict';
import type { Locator, Page } from 'playwright-core';

import { choose, textOf } from './until.ts';

export async function run(page: Page, shot: (name: string) => Promise<void>): Promise<void> {
  const editor = page.locator('.editor-instance .monaco-editor[data-uri$="hello.py"]').first();
  await editor.waitFor();
  await page.keyboard.press('Control+b');
  const lens = (text: string | RegExp) => editor.locator('.codelens-decoration', { hasText: text });
  const line = (text: RegExp) => editor.locator('.view-line', { hasText: text }).first();
  await lens('Generate').first().waitFor();

  await line(/^def\s+larger\(/).click();
  await choose(page, 'Verify this function');
  await lens(/contracts failed/).waitFor();
  await page.keyboard.press('Alt+F8');
  await page.locator('.marker-widget', { hasText: 'the clause of the spec that is violated' }).waitFor();
  await page.waitForTimeout(500);
  await shot('counterexample');
  await page.keyboard.press('Escape');
  await choose(page, 'Keep the counterexample', async () => {
    await page.mouse.move(900, 700);
    await page.waitForTimeout(500);
    await shot('keep');
  });
  await line(/@example\s+larger\(0,\s+1\)/).waitFor();
  console.log('test: the counterexample is an example');

  await line(/^def\s+evens\(/).click();
  await choose(page, 'Implement with verified code');
  await line(/x\s+%\s+2\s+==\s+0/).waitFor();
  await lens(/\d\/8 checks/).first().waitFor();
  const passed = page.locator('.glyph-margin-widgets .codicon-testing-passed-icon');
  await passed.waitFor();
  await retype(page, line(/@spec\s+Return\s+the\s+even/), '# @spec Return the odd numbers of xs, in the same order.');
  await retype(page, line(/@example\s+evens\(\[2/), '# @example evens([1, 2]) == [1]');
  // `larger` is one of them, since the example was kept.
  await lens('changed since').nth(1).waitFor();
  await passed.waitFor({ state: 'detached' });
  await choose(page, 'Implement with verified code', async () => {
    await page.waitForTimeout(500);
    await shot('reimplement');
  });
  const odd = line(/x\s+%\s+2\s+==\s+1/);
  await odd.waitFor();
  await lens('changed since').nth(1).waitFor({ state: 'detached' });
  console.log('test: written anew after its spec changed');

  await retype(page, odd, '    return [x for x in xs if x % 2]');
  await lens('changed since').nth(1).waitFor();
  await choose(page, 'Verify 2 changed functions of this file', async () => {
    await page.waitForTimeout(500);
    await shot('changed');
  });
  await lens('changed since').first().waitFor({ state: 'detached' });
  await lens(/\d\/8 checks/).first().waitFor();
  console.log('test: what changed since is checked');

  const before = await textOf(editor);
  await line(/^def\s+last\(/).click();
  await choose(page, 'Implement with verified code');
  const busy = page.locator('[id="zeroerr.zeroerr.zeroerr.status"]', { hasText: 'last' });
  await busy.waitFor();
  await busy.click();
  const stop = page.locator('.quick-input-list .monaco-list-row', { hasText: 'Cancel what runs' });
  await stop.waitFor();
  await page.waitForTimeout(500);
  await shot('cancel');
  await stop.click();
  await busy.waitFor({ state: 'detached' });
  await page.waitForTimeout(1_000);
  assert.equal(await textOf(editor), before, 'a cancelled run leaves no trace');
  console.log('test: cancelled without a trace');
}

/** Types a line in the place of another. */
async function retype(page: Page, line: Locator, text: string): Promise<void> {
  await line.click();
  await page.keyboard.press('End');
  await page.keyboard.press('Shift+Home');
  await page.keyboard.press('Shift+Home');
  await page.keyboard.insertText(text);
}
