/** Starts the language server and stays out of its way: what is offered is decided there. */

import * as vscode from 'vscode';
import { LanguageClient, State, TransportKind, type LanguageClientOptions } from 'vscode-languageclient/node';

import { findServer } from './binary';
import { registerCommands, verifyFunction, type Host } from './commands';
import { askForNews, type MarksParams, type ReportParams, type RunParams } from './live';
import { Marks } from './marks';
import { applied, explanation, makeWriteable } from './readonly';
import { Report } from './report';
import { Restarts } from './restarts';
import { Runs } from './runs';
import { settingsForServer } from './settings';
import { Status } from './status';
import { Tests } from './tests';

/** What tests may look at. */
export interface Api {
  /** The status bar's text. */
  statusText(): string;
  /** Why the server does not run; empty while it does. */
  trouble(): string;
  /** What the user was warned of last: another release, an edit that would not be saved. */
  warning(): string;
  /** What the button of the warning about an edit that would not be saved does. */
  makeWriteable(document: vscode.TextDocument): Promise<void>;
  /** The lines of the "Runs" view. */
  runs(): string[];
  /** `line: state` for each mark in the gutter of a document. */
  marks(uri: vscode.Uri): string[];
  /** The items of the test explorer. */
  tests(): string[];
  /** Runs every test of the explorer. */
  runTests(): Promise<void>;
  /** The report that is shown. */
  report(): string;
}

let extension: Extension | undefined;

/** The languages that the server has adapters for. */
const LANGUAGES = ['python', 'rust', 'typescript', 'typescriptreact', 'javascript', 'javascriptreact'];

export async function activate(context: vscode.ExtensionContext): Promise<Api> {
  const started = new Extension(context.extensionUri);
  extension = started;
  context.subscriptions.push(
    started,
    ...registerCommands(started),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration('zeroerr.server.path')) {
        await started.restart();
      }
    }),
  );
  await started.start();
  return started.api();
}

export async function deactivate(): Promise<void> {
  await extension?.stop();
}

class Extension implements Host, vscode.Disposable {
  readonly log = vscode.window.createOutputChannel('zeroerr', { log: true });
  readonly #status = new Status();
  readonly #runs = new Runs();
  readonly #report = new Report();
  readonly #tests: Tests;
  readonly #marks: Marks;
  readonly #bundle: string;
  #client: LanguageClient | undefined;
  #trouble = '';
  #warning = '';

  constructor(home: vscode.Uri) {
    this.#bundle = vscode.Uri.joinPath(home, 'bin').fsPath;
    this.#marks = new Marks(vscode.Uri.joinPath(home, 'media'));
    this.#tests = new Tests((uri, name) => verifyFunction(this, uri, name));
  }

  api(): Api {
    return {
      statusText: () => this.#status.text,
      trouble: () => this.#trouble,
      warning: () => this.#warning,
      makeWriteable,
      runs: () => this.#runs.lines(),
      marks: (uri) => this.#marks.lines(uri),
      tests: () => this.#tests.lines(),
      runTests: () => this.#tests.run(new vscode.TestRunRequest(), new vscode.CancellationTokenSource().token),
      report: () => this.#report.html(),
    };
  }

  get busy(): boolean {
    return this.#status.busy;
  }

  client(): LanguageClient | undefined {
    if (this.#client?.state === State.Running) {
      return this.#client;
    }
    void this.#explain(this.#trouble || 'The server does not run yet.');
    return undefined;
  }

  async start(): Promise<void> {
    const found = findServer(vscode.workspace.getConfiguration('zeroerr').get('server.path', ''), this.#bundle);
    if ('missing' in found) {
      this.#fail(found.missing);
      return;
    }
    const client = this.#newClient(found.path);
    this.#client = client;
    this.#trouble = '';
    this.#status.server('starting');
    try {
      await client.start();
      this.#compareVersions(client.initializeResult?.serverInfo?.version);
    } catch (error) {
      // A server that ended at its start was told of already.
      if (this.#trouble === '') {
        const reason = error instanceof Error ? error.message : String(error);
        this.#fail(`${found.path} did not start: ${reason}`);
      }
    }
  }

  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client?.needsStop()) {
      await client.stop();
    }
    await client?.dispose();
  }

  async restart(): Promise<void> {
    await this.stop().catch((error: unknown) => this.log.error(`stopping failed: ${String(error)}`));
    await this.start();
  }

  dispose(): void {
    this.#status.dispose();
    this.#runs.dispose();
    this.#marks.dispose();
    this.#tests.dispose();
    this.#report.dispose();
    this.log.dispose();
  }

  #newClient(path: string): LanguageClient {
    const options: LanguageClientOptions = {
      documentSelector: LANGUAGES.flatMap((language) => ['file', 'untitled'].map((scheme) => ({ scheme, language }))),
      outputChannel: this.log,
      errorHandler: new Restarts(() => client.state === State.Running, (trouble) => this.#fail(trouble)),
      // One message is enough, and `start` has it.
      initializationFailedHandler: () => false,
      middleware: {
        handleWorkDoneProgress: (token, value, next) => {
          this.#status.progress(token, value);
          // The client's own display would say the same beside ours; it only needs to clean up.
          if (value.kind === 'end') {
            next(token, value);
          }
        },
        workspace: {
          configuration: (params, _token, _next) =>
            params.items.map((item) =>
              item.section === 'zeroerr' ? settingsForServer(item.scopeUri === undefined ? undefined : vscode.Uri.parse(item.scopeUri)) : null,
            ),
          didChangeConfiguration: (_sections, next) => next(['zeroerr']),
          handleApplyEdit: async (params, next) => {
            const changes = (params.edit.documentChanges ?? []).flatMap((change) => ('textDocument' in change ? [change.textDocument.uri] : []));
            const uris = changes.map((uri) => client.protocol2CodeConverter.asUri(uri));
            const { result, unsaved } = await applied(uris, async () => next(params, new vscode.CancellationTokenSource().token));
            unsaved.forEach((document) => void this.#unsaved(document));
            return result;
          },
        },
      },
    };
    const client: LanguageClient = new LanguageClient('zeroerr', 'zeroerr', { command: path, args: ['lsp'], transport: TransportKind.stdio }, options);
    client.registerFeature(askForNews);
    client.onNotification('zeroerr/run', (params: RunParams) => this.#runs.news(params));
    client.onNotification('zeroerr/marks', (params: MarksParams) => {
      const uri = client.protocol2CodeConverter.asUri(params.uri);
      this.#marks.take(uri, params);
      this.#tests.take(uri, params);
    });
    client.onNotification('zeroerr/report', (params: ReportParams) => this.#report.show(params));
    client.onDidChangeState(({ newState }) => {
      if (this.#client !== client) {
        return;
      }
      if (newState === State.Running) {
        this.#trouble = '';
        this.#status.server('ready');
      } else if (newState === State.Stopped) {
        this.#trouble ||= 'The server stopped; the log says why.';
        this.#status.server('stopped', this.#trouble);
        this.#runs.serverGone();
        this.#marks.clear();
        this.#tests.clear();
      }
    });
    return client;
  }

  /** Server and extension are released together; what one lacks the other cannot show. */
  #compareVersions(server: string | undefined): void {
    const ours = String(vscode.extensions.getExtension('zeroerr.zeroerr')?.packageJSON?.version ?? '');
    const release = (version: string) => version.split('.').slice(0, 2).join('.');
    this.#warning = '';
    if (server !== undefined && release(server) !== release(ours)) {
      const advice = 'Some things may not be shown; install the same version of both.';
      this.#warning = `zeroerr: the program has version ${server}, this extension ${ours}. ${advice}`;
      void vscode.window.showWarningMessage(this.#warning);
    }
  }

  /** An edit is on the screen, and would be lost. */
  async #unsaved(document: vscode.TextDocument): Promise<void> {
    this.#warning = explanation(document);
    const writeable = 'Make It Writeable';
    if ((await vscode.window.showWarningMessage(`zeroerr: ${this.#warning}`, writeable)) === writeable) {
      await makeWriteable(document);
    }
  }

  #fail(trouble: string): void {
    this.#trouble = trouble;
    this.#status.server('stopped', trouble);
    this.log.error(trouble);
    void this.#explain(trouble);
  }

  async #explain(trouble: string): Promise<void> {
    const actions: Record<string, string> = { 'Open Settings': 'settings', 'Restart': 'restart', 'Show Log': 'log' };
    const chosen = await vscode.window.showErrorMessage(`zeroerr: ${trouble}`, ...Object.keys(actions));
    if (chosen === 'Open Settings') {
      await vscode.commands.executeCommand('workbench.action.openSettings', 'zeroerr.server.path');
    } else if (chosen !== undefined) {
      await vscode.commands.executeCommand(`zeroerr.client.${actions[chosen] ?? 'log'}`);
    }
  }
}
