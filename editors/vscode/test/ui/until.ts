/** What a patient user with a keyboard does. */

import type { Locator, Page } from 'playwright-core';

/** Presses a key again while what it brings up stays away, as a user does on a busy machine. */
export async function pressUntil(page: Page, key: string, shown: Locator): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await page.keyboard.press(key);
    const there = await shown.waitFor({ timeout: 6_000 }).then(() => true, () => false);
    if (there) {
      return;
    }
    await page.keyboard.press('Escape');
  }
  await shown.waitFor({ timeout: 6_000 });
}

/** Puts the mouse on something until its hover is there: a text that is drawn anew takes the hover away. */
export async function hoverUntil(page: Page, target: Locator, shown: Locator): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) {
    await target.hover();
    const there = await shown.first().waitFor({ timeout: 6_000 }).then(() => true, () => false);
    if (there) {
      return;
    }
    await page.mouse.move(0, 0);
  }
  await shown.first().waitFor({ timeout: 6_000 });
}

/** Opens the light bulb's menu and chooses the entry with this text. */
export async function choose(page: Page, text: string, seen?: () => Promise<void>): Promise<void> {
  const entry = page.locator('.action-widget .monaco-list-row', { hasText: text }).first();
  await pressUntil(page, 'Control+.', entry);
  await seen?.();
  await entry.click();
}

/** Runs a command by its name in the palette. */
export async function command(page: Page, name: string): Promise<void> {
  const entry = page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first();
  await page.keyboard.press('F1');
  await page.locator('.quick-input-widget').waitFor();
  await page.keyboard.type(name);
  await entry.waitFor();
  await page.keyboard.press('Enter');
}

/** The text of an editor. */
export async function textOf(editor: Locator): Promise<string> {
  return (await editor.locator('.view-lines').innerText()).replaceAll('\u00a0', ' ');
}
