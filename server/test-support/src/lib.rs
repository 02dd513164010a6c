//! Fixtures, the scripted model and a strict LSP test client.
