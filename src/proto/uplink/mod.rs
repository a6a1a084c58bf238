//! Which uplinks are used.

/// Whether the LANs use an uplink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its prefixes are preferred.
    Active,
    /// Its prefixes are known, and used from the moment it becomes active.
    Standby,
    /// It is not used.
    Out,
}
