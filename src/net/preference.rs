/// How a router or a route of its compares with those of others (RFC 4191 §2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preference {
    /// 11
    Low,
    /// 00
    #[default]
    Medium,
    /// 01
    High,
}
