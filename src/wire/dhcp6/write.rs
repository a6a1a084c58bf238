//! The writing half.

use super::{ClientFqdn, Dnr, MessageType, option};
use crate::wire::name;
use std::net::Ipv6Addr;

/// Writes one message. An option over 65535 bytes spoils the whole: [`Writer::finish`] then gives nothing.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    too_long: bool,
}

/// An option that was opened and still has to be closed.
#[derive(Debug)]
#[must_use]
pub struct Mark(usize);

impl Writer {
    /// A message between client and server (RFC 9915 §8); the lower 24 bits of `transaction` count.
    pub fn message(kind: MessageType, transaction: u32) -> Writer {
        // most answers fit; one that doesn't costs one more allocation
        let mut writer = Writer { bytes: Vec::with_capacity(256), too_long: false };
        writer.begin_message(kind, transaction);
        writer
    }

    /// A relay message (RFC 9915 §9).
    pub fn relay(kind: MessageType, hop_count: u8, link_address: Ipv6Addr, peer_address: Ipv6Addr) -> Writer {
        let mut writer = Writer { bytes: Vec::with_capacity(384), too_long: false };
        writer.begin_relay(kind, hop_count, link_address, peer_address);
        writer
    }

    /// Options alone, to be put into messages later by [`Writer::raw`].
    pub fn options() -> Writer {
        Writer { bytes: Vec::new(), too_long: false }
    }

    /// Begins a message inside an opened Relay Message option.
    pub fn begin_message(&mut self, kind: MessageType, transaction: u32) {
        let [_, a, b, c] = transaction.to_be_bytes();
        self.bytes.extend([kind as u8, a, b, c]);
    }

    /// Begins a relay message inside an opened Relay Message option.
    pub fn begin_relay(&mut self, kind: MessageType, hop_count: u8, link_address: Ipv6Addr, peer_address: Ipv6Addr) {
        self.bytes.extend([kind as u8, hop_count]);
        self.bytes.extend(link_address.octets());
        self.bytes.extend(peer_address.octets());
    }

    /// Begins an option; what is written until [`Writer::close`] is its contents.
    pub fn open(&mut self, code: u16) -> Mark {
        self.bytes.extend(code.to_be_bytes());
        self.bytes.extend([0, 0]);
        Mark(self.bytes.len())
    }

    /// Ends the option opened last.
    pub fn close(&mut self, mark: Mark) {
        let len = self.bytes.len().saturating_sub(mark.0);
        let place = mark.0.checked_sub(2).and_then(|start| self.bytes.get_mut(start..mark.0));
        match (u16::try_from(len), place) {
            (Ok(len), Some(place)) => place.copy_from_slice(&len.to_be_bytes()),
            _ => self.too_long = true,
        }
    }

    /// Bytes as they are: part of an option's contents, or whole options made before.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// An option with these contents.
    pub fn put(&mut self, code: u16, contents: &[u8]) {
        let mark = self.open(code);
        self.raw(contents);
        self.close(mark);
    }

    /// Begins an identity association, IA_NA or IA_PD by `code`; times in seconds.
    pub fn open_ia(&mut self, code: u16, iaid: u32, t1: u32, t2: u32) -> Mark {
        let mark = self.open(code);
        for number in [iaid, t1, t2] {
            self.bytes.extend(number.to_be_bytes());
        }
        mark
    }

    /// An address inside an IA_NA; lifetimes in seconds.
    pub fn ia_address(&mut self, address: Ipv6Addr, preferred: u32, valid: u32) {
        let mark = self.open(option::IA_ADDRESS);
        self.bytes.extend(address.octets());
        self.bytes.extend(preferred.to_be_bytes());
        self.bytes.extend(valid.to_be_bytes());
        self.close(mark);
    }

    /// A prefix inside an IA_PD; lifetimes in seconds.
    pub fn ia_prefix(&mut self, address: Ipv6Addr, len: u8, preferred: u32, valid: u32) {
        let mark = self.open(option::IA_PREFIX);
        self.bytes.extend(preferred.to_be_bytes());
        self.bytes.extend(valid.to_be_bytes());
        self.bytes.push(len);
        self.bytes.extend(address.octets());
        self.close(mark);
    }

    /// A status with a message for people.
    pub fn status(&mut self, code: u16, message: &str) {
        let mark = self.open(option::STATUS_CODE);
        self.bytes.extend(code.to_be_bytes());
        self.raw(message.as_bytes());
        self.close(mark);
    }

    /// An Option Request, or any other option of nothing but codes.
    pub fn codes(&mut self, code: u16, codes: &[u16]) {
        let mark = self.open(code);
        self.bytes.extend(codes.iter().flat_map(|code| code.to_be_bytes()));
        self.close(mark);
    }

    /// DNS servers, or any other option of nothing but addresses.
    pub fn addresses(&mut self, code: u16, addresses: &[Ipv6Addr]) {
        let mark = self.open(code);
        self.bytes.extend(addresses.iter().flat_map(|address| address.octets()));
        self.close(mark);
    }

    /// The domain search list, or any other option of nothing but names; what is no name is left out.
    pub fn names<'a>(&mut self, code: u16, names: impl IntoIterator<Item = &'a str>) {
        let mark = self.open(code);
        for name in names {
            // the configuration has checked them
            let _ = name::encode(name, &mut self.bytes);
        }
        self.close(mark);
    }

    /// A Client FQDN option (RFC 4704 §4.1).
    pub fn client_fqdn(&mut self, fqdn: ClientFqdn<'_>) {
        let mark = self.open(option::CLIENT_FQDN);
        self.bytes
            .push(u8::from(fqdn.server_updates) | u8::from(fqdn.overridden) << 1 | u8::from(fqdn.no_updates) << 2);
        self.raw(fqdn.name);
        self.close(mark);
    }

    /// An encrypted DNS resolver (RFC 9463 §4.1); without addresses its parameters are left out. Nothing is written if
    /// its name is no name.
    pub fn dnr(&mut self, dnr: &Dnr<'_>) {
        let mut encoded = Vec::new();
        if name::encode(&dnr.name, &mut encoded).is_err() {
            return;
        }
        let mark = self.open(option::DNR);
        self.bytes.extend(dnr.priority.to_be_bytes());
        self.counted(|writer| writer.bytes.extend(&encoded));
        if !dnr.addresses.is_empty() {
            self.counted(|writer| writer.bytes.extend(dnr.addresses.iter().flat_map(|address| address.octets())));
            self.raw(dnr.params);
        }
        self.close(mark);
    }

    /// Something with its length in two bytes before it.
    fn counted(&mut self, write: impl FnOnce(&mut Writer)) {
        self.bytes.extend([0, 0]);
        let mark = Mark(self.bytes.len());
        write(self);
        self.close(mark);
    }

    /// The message; `None` if an option in it was too long.
    pub fn finish(self) -> Option<Vec<u8>> {
        (!self.too_long).then_some(self.bytes)
    }
}
