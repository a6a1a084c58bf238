//! Attributes: a word (1 bit flag, 7 bits id, 24 bits length with the word), the payload, zeros up to a multiple of 4.

/// What is no attribute: its length is below 4 or goes beyond the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Largest length that the word can say, bytes.
pub const MAX_LEN: u32 = 0x00ff_ffff;
const FLAG: u32 = 0x8000_0000;

/// One attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// 0 to 127.
    pub id: u8,
    /// The flag: the payload begins with a name.
    pub named: bool,
    /// Payload without padding.
    pub payload: &'a [u8],
}

/// Reads the attributes that lie one after the other in `bytes`; ends after the first that is malformed. The last one's
/// padding may be missing, as in libubox.
pub fn attributes(bytes: &[u8]) -> Attributes<'_> {
    Attributes { rest: bytes }
}

/// See [`attributes`].
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = std::mem::take(&mut self.rest);
        if bytes.is_empty() {
            return None;
        }
        let read = || {
            let (word, _) = bytes.split_first_chunk()?;
            let word = u32::from_be_bytes(*word);
            let len = usize::try_from(word & MAX_LEN).ok()?;
            let payload = bytes.get(4..len)?;
            let id = u8::try_from((word & !FLAG) >> 24).ok()?;
            let rest = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
            Some((Attribute { id, named: word & FLAG != 0, payload }, rest))
        };
        let Some((attribute, rest)) = read() else { return Some(Err(Malformed)) };
        self.rest = rest;
        Some(Ok(attribute))
    }
}

/// Begins an attribute; what is written next is its payload, until [`close`] with the mark returned.
pub fn open(out: &mut Vec<u8>, id: u8, named: bool) -> usize {
    let mark = out.len();
    let word = u32::from(id) << 24 | if named { FLAG } else { 0 };
    out.extend(word.to_be_bytes());
    mark
}

/// Ends an attribute: writes its length, and its padding. One that is longer than [`MAX_LEN`] can't be said; its message
/// is over ubusd's limit anyway, and is never sent.
pub fn close(out: &mut Vec<u8>, mark: usize) {
    let len = u32::try_from(out.len().saturating_sub(mark)).unwrap_or(MAX_LEN).min(MAX_LEN);
    if let Some(word) = out.get_mut(mark..).and_then(<[u8]>::first_chunk_mut::<4>) {
        *word = (u32::from_be_bytes(*word) | len).to_be_bytes();
    }
    pad(out, mark);
}

/// Zeros up to a multiple of 4, counted from `mark`.
pub fn pad(out: &mut Vec<u8>, mark: usize) {
    let len = out.len().saturating_sub(mark);
    out.resize(mark + len.next_multiple_of(4), 0);
}

/// Writes a whole attribute without a name.
pub fn put(out: &mut Vec<u8>, id: u8, payload: &[u8]) {
    let mark = open(out, id, false);
    out.extend_from_slice(payload);
    close(out, mark);
}
