//! Every option once: layers, validation, JSON schema and the reference page.
