/**
 * A walk through the flows that a user lives in, on tests/fixtures/flows.py with the scripted model: all
 * stubs at once, why one of them abstained, the answer to its disagreement, a suggested example, a changed
 * spec, what changed since, a layer that fails, a counterexample that is kept, a selection; and typing
 * while it runs.
 */

import * as assert from 'node:assert/strict';
import * as vscode from 'vscode';

import { actions, choose, goTo, headerOf, start, type Started } from './start';
import { until } from './until';

export async function run(): Promise<void> {
  const walk = await start();
  await until('the explorer to list the functions', 120, () => walk.api.tests().length > 0, walk.api.trouble);
  await allStubs(walk);
  await whyItAbstained(walk);
  await answer(walk);
  await suggestedExample(walk);
  await anotherSpec(walk);
  await whatChanged(walk);
  await failingLayer(walk);
  await counterexample(walk);
  await selection(walk);
  await typingMeanwhile(walk);
  await neverSaved();
}

async function allStubs({ api, document, editor }: Started): Promise<void> {
  goTo(editor, 'evens');
  await choose(await offered(editor, 'Implement all 4 stubs of this file'));
  await until('evens and backwards to be written' , 90, () => isThere(document, 'x % 2 == 0') && isThere(document, 'text[::-1]'), api.runs);
  await until('last to have no edit' , 90, () => api.runs().includes('implement `last` (abstained)'), api.runs);
  assert.ok(isThere(document, 'def last(xs: list[int]) -> int: ...'), 'an abstention leaves no trace');
  await stands(document, api, 'evens', 'passed');
  await stands(document, api, 'backwards', 'passed');
  await stands(document, api, 'last', 'abstained');
}

async function whyItAbstained({ api, document, editor }: Started): Promise<void> {
  const line = goTo(editor, 'last');
  const said = () => vscode.languages.getDiagnostics(document.uri).filter((d) => d.range.start.line === line && d.source === 'zeroerr');
  await until('the reason below the function', 120, () => said().length > 0);
  assert.match(said()[0]?.message ?? '', /no edit for `last`: no behaviour can still get ahead by 3/);
  assert.match(said()[0]?.message ?? '', /candidates differ on `last\(\[\]\)`/);
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>('vscode.executeHoverProvider', document.uri, editor.selection.active);
  const shown = hovers.flatMap((hover) => hover.contents).map((part) => (typeof part === 'string' ? part : part.value)).join('\n');
  assert.match(shown, /No edit @v\d+: no behaviour can still get ahead/);
  assert.match(shown, /raises `IndexError`/);
  const votes = api.runs().slice(api.runs().indexOf('implement `last` (abstained)') + 1);
  assert.ok(votes.some((text) => /^ {4}[0-9a-f]{8}: \d votes?$/.test(text)), `the votes are in the view:\n${api.runs().join('\n')}`);
  await choose(await offered(editor, 'Show zeroerr report on `last`'));
  await until('the report on the abstention', 120, () => api.report().includes('last([])'));
}

async function answer({ api, document, editor }: Started): Promise<void> {
  goTo(editor, 'last');
  const all = (await actions(editor)).map((action) => action.title);
  assert.ok(all.some((title) => title.startsWith('`last([])` should be `0` (')), all.join('\n'));
  assert.ok(all.includes('`last([])` should be something else: write it'), all.join('\n'));
  await choose(await offered(editor, '`last([])` should raise `IndexError` ('));
  await until('the answer in the spec', 120, () => isThere(document, '# @raises IndexError last([])'));
  await until('last to be written' , 90, () => isThere(document, '    return xs[-1]\n'), api.runs);
  await stands(document, api, 'last', 'passed');
  console.log('test: a disagreement was answered');
}

async function suggestedExample({ api, document, editor }: Started): Promise<void> {
  goTo(editor, 'first_word');
  await stands(document, api, 'first_word', 'abstained');
  await choose(await offered(editor, 'Add to the spec as a guess: `first_word('));
  await until('the guess in the spec', 120, () => isThere(document, '# @example? first_word('));
  const line = document.getText().split('\n').findIndex((text) => text.startsWith('# @example? first_word('));
  editor.selection = new vscode.Selection(line, 4, line, 4);
  await choose(await offered(editor, 'Accept the guess'));
  await until('the accepted guess', 120, () => isThere(document, '# @example first_word('));
  goTo(editor, 'first_word');
  await choose(await offered(editor, 'Implement with verified code'));
  await until('first_word to be written', 90, () => isThere(document, "text.split(' ')[0]"), api.runs);
  await stands(document, api, 'first_word', 'passed');
}

async function anotherSpec({ api, document, editor }: Started): Promise<void> {
  await replace(editor, 'Return the even numbers of xs', 'Return the odd numbers of xs');
  await replace(editor, 'evens([2, 4]) == [2, 4]', 'evens([1, 2]) == [1]');
  await stands(document, api, 'evens', 'changed');
  goTo(editor, 'evens');
  await choose(await offered(editor, 'Implement with verified code'));
  await until('evens to be written anew' , 90, () => isThere(document, 'x % 2 == 1'), api.runs);
  await stands(document, api, 'evens', 'passed');
}

async function whatChanged({ api, document, editor }: Started): Promise<void> {
  await replace(editor, 'text[::-1]', '"".join(reversed(text))');
  await stands(document, api, 'backwards', 'changed');
  goTo(editor, 'backwards');
  await choose(await offered(editor, 'Verify 1 changed function of this file'));
  await stands(document, api, 'backwards', 'passed');
}

async function failingLayer({ api, document, editor }: Started): Promise<void> {
  goTo(editor, 'total');
  await choose(await offered(editor, 'Verify this function'));
  await stands(document, api, 'total', 'failed');
  const objections = () => vscode.languages.getDiagnostics(document.uri).map((d) => d.message).filter((text) => text.includes('total([1, 2, 3]) gave 9'));
  await until('the objection below the function', 120, () => objections().length > 0);
  goTo(editor, 'total');
  await choose(await offered(editor, 'Implement with verified code'));
  await until('the function to be mended' , 90, () => isThere(document, 'return sum(xs)'), api.runs);
  await stands(document, api, 'total', 'passed');
  await until('the objection to be gone', 120, () => objections().length === 0, objections);
}

async function counterexample({ api, document, editor }: Started): Promise<void> {
  goTo(editor, 'larger');
  await choose(await offered(editor, 'Verify this function'));
  await stands(document, api, 'larger', 'failed');
  await choose(await offered(editor, 'Keep the counterexample: @example larger('));
  await until('the counterexample in the spec', 120, () => isThere(document, '# @example larger(0, 1) >= 0 and larger(0, 1) >= 1'));
  await stands(document, api, 'larger', 'changed');
}

async function selection({ api, document, editor }: Started): Promise<void> {
  const line = headerOf(document, 'doubled');
  editor.selection = new vscode.Selection(line, 0, document.lineCount - 1, 0);
  await choose(await offered(editor, 'Implement selection: return each number twice as large'));
  await until('the selection to be written' , 90, () => isThere(document, '[2 * x for x in xs]'), api.runs);
  await until('its run to have ended', 120, () => api.runs()[0] === 'implement `doubled` (verified)', api.runs);
}

/** Nothing is put into a function that the user has changed; what they write elsewhere stays. */
async function typingMeanwhile({ api, document, editor }: Started): Promise<void> {
  goTo(editor, 'larger');
  await choose(await offered(editor, 'Implement with verified code'));
  await until('the run on larger to be busy', 120, () => api.runs()[0] === 'implement `larger` (busy)', api.runs);
  await replace(editor, '    return a\n', '    return a  # mine\n');
  const mine = document.getText();
  await until('the run on larger to have ended', 120, () => api.runs()[0] === 'implement `larger` (verified)', api.runs);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.equal(document.getText(), mine, 'a function that was changed since is left alone');
  await stands(document, api, 'larger', 'changed');

  goTo(editor, 'larger');
  await choose(await offered(editor, 'Implement with verified code'));
  await until('another run on larger to be busy', 120, () => api.runs()[0] === 'implement `larger` (busy)', api.runs);
  await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), '# 🐍 above\n'));
  await until('larger to be written', 120, () => isThere(document, 'return a if a > b else b'), api.runs);
  const expected = `# 🐍 above\n${mine.replace('    return a  # mine\n', '    return a if a > b else b\n')}`;
  assert.equal(document.getText(), expected, 'the edit is where the function is now');
  await stands(document, api, 'larger', 'passed');
  console.log('test: what was typed meanwhile stands');
}

/** A text that has no file yet. */
async function neverSaved(): Promise<void> {
  const content = '# @spec Return the sum of xs.\n# @example total([1, 2]) == 3\ndef total(xs: list[int]) -> int: ...\n';
  const document = await vscode.workspace.openTextDocument({ language: 'python', content });
  const editor = await vscode.window.showTextDocument(document);
  goTo(editor, 'total');
  await choose(await offered(editor, 'Implement with verified code'));
  await until('the untitled text to be written', 120, () => isThere(document, 'return sum(xs)'));
}

function isThere(document: vscode.TextDocument, text: string): boolean {
  return document.getText().includes(text);
}

/** Waits for an action whose title begins so. */
async function offered(editor: vscode.TextEditor, title: string): Promise<vscode.CodeAction> {
  let found: vscode.CodeAction | undefined;
  let all: string[] = [];
  const look = async () => {
    const list = await actions(editor);
    all = list.map((action) => action.title);
    found = list.find((action) => action.title.startsWith(title));
    return found !== undefined;
  };
  await until(`the action "${title}"`, 120, look, () => all);
  return found as vscode.CodeAction;
}

/** Waits until the gutter says so of a function. */
async function stands(document: vscode.TextDocument, api: Started['api'], name: string, state: string): Promise<void> {
  const there = () => api.marks(document.uri).includes(`${headerOf(document, name) + 1}: ${state}`);
  await until(`the mark "${state}" on ${name}` , 90, there, () => [api.marks(document.uri), api.runs()]);
}

/** Types something in the place of something else. */
async function replace(editor: vscode.TextEditor, old: string, text: string): Promise<void> {
  const at = editor.document.getText().indexOf(old);
  assert.notEqual(at, -1, `${old} is in the file`);
  const range = new vscode.Range(editor.document.positionAt(at), editor.document.positionAt(at + old.length));
  assert.ok(await editor.edit((edit) => edit.replace(range, text)), 'the text was typed');
}
