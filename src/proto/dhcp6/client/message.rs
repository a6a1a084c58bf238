//! What a client says (RFC 9915 §18.2.1 to §18.2.8).

use super::Config;
use super::reply::Kind;
use crate::net::Duid;
use crate::proto::dhcp6::Resource;
use crate::wire::dhcp6::{MessageType, Writer, option};
use std::net::Ipv6Addr;

/// What every message that asks for leases requests.
const WITH_LEASES: [u16; 4] = [option::DNS_SERVERS, option::DOMAIN_LIST, option::PD_EXCLUDE, option::SOL_MAX_RT];
/// What an Information-request requests.
const WITHOUT: [u16; 4] =
    [option::DNS_SERVERS, option::DOMAIN_LIST, option::INFORMATION_REFRESH_TIME, option::INF_MAX_RT];

/// A message to be written.
pub(super) struct Saying<'a> {
    pub(super) kind: MessageType,
    pub(super) transaction: u32,
    pub(super) elapsed: u16,
    /// Whether a Solicit may be answered by a Reply.
    pub(super) rapid_commit: bool,
    pub(super) server: Option<&'a Duid>,
    /// What is asked for, extended or given back.
    pub(super) leases: &'a [Resource],
}

impl Saying<'_> {
    /// The message; `None` if it would be too long, which what a client holds never is.
    pub(super) fn bytes(&self, config: &Config) -> Option<Vec<u8>> {
        use MessageType::{Confirm, Decline, InformationRequest, Rebind, Release, Renew, Request, Solicit};
        let mut writer = Writer::message(self.kind, self.transaction);
        writer.put(option::CLIENT_ID, config.duid.as_bytes());
        if let Some(server) = self.server.filter(|_| matches!(self.kind, Request | Renew | Release | Decline)) {
            writer.put(option::SERVER_ID, server.as_bytes());
        }
        writer.put(option::ELAPSED_TIME, &self.elapsed.to_be_bytes());
        match self.kind {
            InformationRequest => writer.codes(option::OPTION_REQUEST, &WITHOUT),
            Solicit | Request | Renew | Rebind => writer.codes(option::OPTION_REQUEST, &WITH_LEASES),
            _ => {}
        }
        if self.kind == Solicit && self.rapid_commit {
            writer.put(option::RAPID_COMMIT, &[]);
        }
        if config.reconfigure_accept && !matches!(self.kind, Confirm | Release | Decline) {
            writer.put(option::RECONFIGURE_ACCEPT, &[]);
        }
        let giving_up = matches!(self.kind, Confirm | Release | Decline);
        for kind in Kind::ALL.into_iter().filter(|_| self.kind != InformationRequest) {
            let listed = self.leases.iter().any(|resource| Kind::of(resource) == kind);
            if listed || !giving_up && kind.is_wanted(config) {
                self.ia(kind, config, &mut writer);
            }
        }
        writer.finish()
    }

    /// Times and lifetimes are 0: they are the server's to choose (RFC 9915 §18.2.1, §18.2.3, §18.2.4).
    fn ia(&self, kind: Kind, config: &Config, writer: &mut Writer) {
        let mark = writer.open_ia(kind.code(), config.iaid, 0, 0);
        let mut hinted = false;
        for resource in self.leases.iter().filter(|resource| Kind::of(resource) == kind) {
            hinted = true;
            match resource {
                Resource::Address(address) => writer.ia_address(*address, 0, 0),
                Resource::Prefix(prefix) => writer.ia_prefix(prefix.addr(), prefix.len(), 0, 0),
            }
        }
        if let (Kind::Prefix, false, Some(len)) = (kind, hinted, config.want_prefix.filter(|len| *len > 0)) {
            // RFC 8168 §3.1: a hint for a length
            writer.ia_prefix(Ipv6Addr::UNSPECIFIED, len.min(128), 0, 0);
        }
        writer.close(mark);
    }
}
