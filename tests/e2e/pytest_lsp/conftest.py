"""The real server under pytest-lsp, once for each client: with the very parameters that the client sends."""

import json
import os
import pathlib
import typing
import warnings

import pytest
import pytest_lsp
from lsprotocol import converters, types
from pygls.protocol import default_converter
from pygls.workspace import PositionCodec, TextDocument
from pytest_lsp.client import register_lsp_features

CLIENTS = pathlib.Path(__file__).parents[2] / "fixtures/clients"
FILE = pathlib.Path(os.environ["E2E_FILE"])


def converter():
    """lsprotocol takes an action with a command for a bare command."""

    def action(value, _):
        bare = isinstance(value["command"], str) if "command" in value else False
        return found.structure(value, types.Command if bare else types.CodeAction)

    found = default_converter()
    found.register_structure_hook(typing.Union[types.Command, types.CodeAction], action)
    return found


class Protocol(pytest_lsp.LanguageClientProtocol):
    """Keeps what the server asks and tells, as it came."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.told: list[tuple[str, object]] = []

    def _handle_request(self, msg_id, method_name, params):
        self.told.append((method_name, params))
        return super()._handle_request(msg_id, method_name, params)

    def _handle_notification(self, method_name, params):
        self.told.append((method_name, params))
        return super()._handle_notification(method_name, params)


class Client(pytest_lsp.LanguageClient):
    """A client with the buffer of one file."""

    def __init__(self):
        super().__init__(protocol_cls=Protocol, converter_factory=converter)
        register_lsp_features(self)
        self.raw: dict = {}
        self.result: types.InitializeResult | None = None
        self.buffer: TextDocument | None = None
        self.edits: list[types.WorkspaceEdit] = []

        @self.feature(types.WORKSPACE_APPLY_EDIT)
        def apply_edit(params: types.ApplyWorkspaceEditParams):
            self.edits.append(params.edit)
            self.apply(params.edit)
            return types.ApplyWorkspaceEditResult(applied=True)

        for method in (
            types.CLIENT_REGISTER_CAPABILITY,
            types.WORKSPACE_CODE_LENS_REFRESH,
            types.WORKSPACE_INLAY_HINT_REFRESH,
        ):
            self.feature(method)(lambda *_: None)

    def announces(self, path: str):
        """What the client says of itself at this place, or None."""
        found = self.raw["capabilities"]
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def open(self):
        """Opens the file."""
        encoding = self.result.capabilities.position_encoding or types.PositionEncodingKind.Utf16
        text = FILE.read_text()
        codec = PositionCodec(encoding)
        kind = types.TextDocumentSyncKind.Incremental
        self.buffer = TextDocument(FILE.as_uri(), text, 1, "python", sync_kind=kind, position_codec=codec)
        item = types.TextDocumentItem(uri=self.buffer.uri, language_id="python", version=1, text=text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    def apply(self, edit: types.WorkspaceEdit):
        """Puts an edit into the buffer, and tells the server so."""
        changes = edit.changes[self.buffer.uri] if edit.changes else edit.document_changes[0].edits
        told = []
        for change in sorted(changes, key=lambda c: (c.range.start.line, c.range.start.character), reverse=True):
            told.append(types.TextDocumentContentChangePartial(range=change.range, text=change.new_text))
            self.buffer.apply_change(told[-1])
        self.buffer.version += 1
        version = types.VersionedTextDocumentIdentifier(uri=self.buffer.uri, version=self.buffer.version)
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(text_document=version, content_changes=told)
        )

    @property
    def identifier(self) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(uri=self.buffer.uri)

    def position_of(self, text: str) -> types.Position:
        """The place of a text in the file, all of whose lines up to it are ASCII."""
        before = self.buffer.source.partition(text)[0]
        assert before.isascii() and text in self.buffer.source
        return types.Position(line=before.count("\n"), character=len(before) - before.rfind("\n") - 1)


@pytest.fixture(autouse=True)
def within_the_specification():
    """pytest-lsp warns of what a client did not announce; here that is a failure."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    found = [str(w.message) for w in caught if issubclass(w.category, pytest_lsp.LspSpecificationWarning)]
    assert not found, found


@pytest_lsp.fixture(
    config=pytest_lsp.ClientServerConfig(
        server_command=[os.environ["E2E_SERVER"], "lsp"],
        client_factory=Client,
        server_env=dict(os.environ),
    ),
    params=sorted(path.stem for path in CLIENTS.glob("*.json")),
)
async def client(request, lsp_client: Client):
    raw = json.loads((CLIENTS / f"{request.param}.json").read_text())
    lsp_client.raw = raw
    # The capture is of another machine.
    root = FILE.parent
    folder = {"uri": root.as_uri(), "name": root.name}
    params = {**raw, "processId": os.getpid()}
    if raw.get("rootUri"):
        params |= {"rootUri": root.as_uri(), "rootPath": str(root), "workspaceFolders": [folder]}
    structured = converters.get_converter().structure(params, types.InitializeParams)
    lsp_client.result = await lsp_client.initialize_session(structured)
    lsp_client.open()
    yield
    await lsp_client.shutdown_session()
