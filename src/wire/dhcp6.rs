//! DHCPv6 messages and options (RFC 9915 §8, §9, §21).
