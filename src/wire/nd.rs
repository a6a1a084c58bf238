//! Router solicitations and advertisements with their options (RFC 4861 §4.1, §4.2, §4.6).
