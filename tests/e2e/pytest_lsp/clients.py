"""Answers never use what a client has not announced, and the main job works with each of them."""

import asyncio
import inspect

from lsprotocol import types

TITLE = "Implement with verified code"


async def until(what, probe, seconds=150):
    """Waits for something, and says for what."""
    for _ in range(seconds * 20):
        found = probe()
        if found := await found if inspect.isawaitable(found) else found:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"waited {seconds} s for {what}")


def sent(client, method):
    """The parameters of every message of a method so far."""
    return [params for told, params in client.protocol.told if told == method]


def title_of(action):
    return action.title


async def actions(client, text, only=None):
    place = client.position_of(text)
    params = types.CodeActionParams(
        text_document=client.identifier,
        range=types.Range(place, place),
        context=types.CodeActionContext(diagnostics=[], only=only),
    )
    return await client.text_document_code_action_async(params) or []


async def test_the_server_announces_what_the_client_can_use(client):
    ours = client.result.capabilities
    offered = client.announces("general.positionEncodings") or ["utf-16"]
    encoding = ours.position_encoding or "utf-16"
    assert encoding in offered and (encoding == "utf-8" or "utf-8" not in offered)
    for theirs, provider in {
        "textDocument.codeLens": ours.code_lens_provider,
        "textDocument.inlayHint": ours.inlay_hint_provider,
        "textDocument.documentLink": ours.document_link_provider,
        "textDocument.foldingRange": ours.folding_range_provider,
        "textDocument.semanticTokens": ours.semantic_tokens_provider,
        "textDocument.inlineCompletion": ours.inline_completion_provider,
        "textDocument.diagnostic": ours.diagnostic_provider,
    }.items():
        assert provider is None or client.announces(theirs) is not None, theirs
    assert ours.code_action_provider.resolve_provider is False
    assert client.result.server_info.name == "zeroerr"
    for registration in [r for p in sent(client, types.CLIENT_REGISTER_CAPABILITY) for r in p.registrations]:
        area = registration.method.replace("/", ".")
        assert client.announces(f"{area}.dynamicRegistration") is True, registration.method


async def test_hover_and_completion_come_in_a_form_that_the_client_reads(client):
    place = client.position_of("total(xs: list[int])")
    hover = await client.text_document_hover_async(types.HoverParams(client.identifier, place))
    formats = client.announces("textDocument.hover.contentFormat") or ["plaintext"]
    assert hover.contents.kind in formats
    assert "Return the sum of the numbers in xs" in hover.contents.value
    start = client.position_of("@example total([1, 2, 3])")
    params = types.CompletionParams(client.identifier, types.Position(start.line, start.character + 1))
    completion = await client.text_document_completion_async(params)
    items = completion.items if isinstance(completion, types.CompletionList) else completion
    labels = [item.label for item in items]
    assert any("example" in label for label in labels) and any("ensures" in label for label in labels), labels


async def test_actions_have_the_kinds_and_marks_that_the_client_knows(client):
    offered = await actions(client, "def total")
    assert any(title_of(action) == TITLE for action in offered)
    literals = client.announces("textDocument.codeAction.codeActionLiteralSupport.codeActionKind.valueSet")
    for action in offered:
        if literals is None:
            assert isinstance(action, types.Command)
            continue
        assert isinstance(action, types.CodeAction) and action.command is not None
        assert any(action.kind == kind or kind == "" or action.kind.startswith(f"{kind}.") for kind in literals)
        assert action.is_preferred is None or client.announces("textDocument.codeAction.isPreferredSupport")
        assert action.disabled is None or client.announces("textDocument.codeAction.disabledSupport")
    if literals is not None:
        rewrites = await actions(client, "def total", only=[types.CodeActionKind.RefactorRewrite])
        assert rewrites and all(action.kind == "refactor.rewrite" for action in rewrites)


async def test_a_fault_of_a_spec_is_told_in_the_one_way_that_the_client_asked_for(client):
    place = client.position_of("@example total([1, 2, 3])")
    end = types.Position(place.line, place.character + len("@example"))
    fault = types.TextEdit(types.Range(place, end), "@exmaple")
    client.apply(types.WorkspaceEdit(changes={client.buffer.uri: [fault]}))
    pushed = sent(client, types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    if client.result.capabilities.diagnostic_provider is not None:
        report = await client.text_document_diagnostic_async(types.DocumentDiagnosticParams(client.identifier))
        found = [item for item in report.items if item.code == "spec.unknown-tag"]
        assert not sent(client, types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS), "told in both ways"
    else:

        def newest():
            pushed = sent(client, types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
            return [item for item in pushed[-1].diagnostics if item.code == "spec.unknown-tag"] if pushed else []

        found = await until("the fault", newest)
        pushed = sent(client, types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    [fault] = found
    assert fault.source == "zeroerr" and fault.range == types.Range(place, end)
    announced = client.announces("textDocument.diagnostic") or {}
    announced = announced | (client.announces("textDocument.publishDiagnostics") or {})
    for item in [fault] + [d for p in pushed for d in p.diagnostics]:
        assert item.related_information is None or announced.get("relatedInformation")
        assert item.code_description is None or announced.get("codeDescriptionSupport")
        assert item.data is None or announced.get("dataSupport")
    fixes = await actions(client, "@exmaple")
    if client.announces("textDocument.codeAction.codeActionLiteralSupport"):
        [fix] = [action for action in fixes if action.edit is not None]
        client.apply(fix.edit)
        assert "# @example total([1, 2, 3]) == 6" in client.buffer.source


async def test_the_main_job_ends_with_the_edit_in_the_buffer(client):
    before = client.buffer.source
    [action] = [a for a in await actions(client, "def total") if title_of(a) == TITLE]
    command = action if isinstance(action, types.Command) else action.command
    assert command.command in client.result.capabilities.execute_command_provider.commands
    await client.workspace_execute_command_async(types.ExecuteCommandParams(command.command, command.arguments))
    await until("the edit", lambda: client.edits)
    after = before.replace("return len(xs) * 3", "return sum(xs)")
    assert client.buffer.source == after
    [edit] = client.edits
    if edit.document_changes is not None:
        # Neovim takes them and does not say so.
        named = (client.raw.get("clientInfo") or {}).get("name") == "Neovim"
        assert client.announces("workspace.workspaceEdit.documentChanges") or named
        assert edit.document_changes[0].text_document.version is not None
    assert edit.change_annotations is None
    if client.announces("window.workDoneProgress"):
        reports = await until("the end of the progress", lambda: ended(client))
        # Helix says itself whose progress it is.
        said = "" if (client.raw.get("clientInfo") or {}).get("name") == "helix" else "zeroerr: "
        assert reports[0].title == f"{said}implement `total`" and reports[0].cancellable
        assert reports[-1].message.startswith("verified: 6 of 8 checks passed")
    else:
        assert not sent(client, types.WINDOW_WORK_DONE_PROGRESS_CREATE)
    refreshes = {
        types.WORKSPACE_CODE_LENS_REFRESH: "workspace.codeLens.refreshSupport",
        types.WORKSPACE_INLAY_HINT_REFRESH: "workspace.inlayHint.refreshSupport",
        types.WORKSPACE_DIAGNOSTIC_REFRESH: "workspace.diagnostics.refreshSupport",
    }
    for method, theirs in refreshes.items():
        assert not sent(client, method) or client.announces(theirs), method
    if client.result.capabilities.code_lens_provider is not None:
        await until("the lens", lambda: has_lens(client, "6/8 checks @v2"))


async def has_lens(client, title):
    lenses = await client.text_document_code_lens_async(types.CodeLensParams(client.identifier))
    return any(lens.command.title.startswith(title) for lens in lenses)


def ended(client):
    for reports in client.progress_reports.values():
        if reports and isinstance(reports[-1], types.WorkDoneProgressEnd):
            return reports
    return None
