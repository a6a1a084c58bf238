//! What the proxy knows, asks and answers.
