//! Decisions drawn from the fuzzer's bytes; when they are used up, everything is zero.

use std::net::Ipv6Addr;

/// What is left of the bytes.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// Whether there is something left.
    pub fn more(&self) -> bool {
        !self.0.is_empty()
    }

    /// One byte.
    pub fn u8(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Two bytes.
    pub fn u16(&mut self) -> u16 {
        u16::from_be_bytes([self.u8(), self.u8()])
    }

    /// Up to 255 bytes, as long as the first one says.
    pub fn bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.u8()).min(self.0.len());
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    /// One of a few senders.
    pub fn sender(&mut self) -> Ipv6Addr {
        match self.u8() {
            0 => Ipv6Addr::UNSPECIFIED,
            1 => Ipv6Addr::LOCALHOST,
            2 => Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1),
            3 => Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 3),
            number => Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number.into()),
        }
    }
}
