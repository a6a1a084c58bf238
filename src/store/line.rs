//! How a record lies in a file: one line of words, the last of which is a CRC-32 of the others.
//!
//! ```text
//! \n + 20010db8… 93600000 … laptop 5d3f0a1b \n
//! ```
//!
//! A line begins *and* ends with a line feed, so that any one damaged byte belongs to one line alone: if a line feed
//! is hit, the neighbour still has its own. A reader finds its footing again at the next line feed.

/// CRC-32 as Ethernet's (IEEE 802.3), which finds every damage that lies within 32 bits. The table at `n` moves a byte
/// on by `n` further bytes, so that four bytes are taken at once.
const TABLES: [[u32; 256]; 4] = tables();

#[allow(clippy::indexing_slicing)] // i < 256, table < 4; and evaluated by the compiler
const fn tables() -> [[u32; 256]; 4] {
    let mut tables = [[0; 256]; 4];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
            bit += 1;
        }
        tables[0][i] = crc;
        i += 1;
    }
    let mut table = 1;
    while table < 4 {
        let mut i = 0;
        while i < 256 {
            let crc = tables[table - 1][i];
            tables[table][i] = crc >> 8 ^ tables[0][(crc & 0xff) as usize];
            i += 1;
        }
        table += 1;
    }
    tables
}

/// The checksum of `bytes`.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    let [t0, t1, t2, t3] = &TABLES;
    #[allow(clippy::indexing_slicing)] // a u8 indexes 256 entries
    let at = |table: &[u32; 256], byte: u8| table[usize::from(byte)];
    let (words, rest) = bytes.as_chunks();
    let crc = words.iter().fold(!0, |crc: u32, [e, f, g, h]| {
        let [a, b, c, d] = crc.to_le_bytes();
        at(t3, a ^ e) ^ at(t2, b ^ f) ^ at(t1, c ^ g) ^ at(t0, d ^ h)
    });
    !rest.iter().fold(crc, |crc, byte| {
        let [low, ..] = crc.to_le_bytes();
        crc >> 8 ^ at(t0, low ^ byte)
    })
}

/// A quick and coarse checksum, to see whether something changed; never 0.
pub(super) fn fingerprint(bytes: &[u8]) -> u32 {
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    let (words, rest) = bytes.as_chunks();
    let hash = words.iter().fold(bytes.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let hash = rest.iter().fold(hash, |hash, byte| mix(hash, (*byte).into()));
    ((hash >> 32) as u32).max(1)
}

const DIGITS: [u8; 16] = *b"0123456789abcdef";

fn digit(nibble: u8) -> u8 {
    #[allow(clippy::indexing_slicing)] // four bits index 16 entries
    DIGITS[usize::from(nibble & 15)]
}

/// Writes one line at the end of a buffer. Nothing here can fail, and nothing allocates but the buffer.
pub(super) struct Line<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> Line<'a> {
    /// Begins a line with its kind, a word that the reader knows it by.
    pub(super) fn new(out: &'a mut Vec<u8>, kind: &str) -> Line<'a> {
        out.push(b'\n');
        let start = out.len();
        out.extend_from_slice(kind.as_bytes());
        Line { out, start }
    }

    /// A word that has neither blanks nor control characters.
    pub(super) fn word(self, word: &str) -> Self {
        self.out.push(b' ');
        self.out.extend_from_slice(word.as_bytes());
        self
    }

    /// A number, decimal.
    pub(super) fn number(self, mut number: u64) -> Self {
        let mut digits = [b'0'; 20];
        let mut used = 0;
        for place in digits.iter_mut().rev() {
            *place = digit((number % 10) as u8);
            number /= 10;
            used += 1;
            if number == 0 {
                break;
            }
        }
        self.out.push(b' ');
        self.out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
        self
    }

    /// Bytes, hexadecimal.
    pub(super) fn hex(self, bytes: &[u8]) -> Self {
        self.out.push(b' ');
        for chunk in bytes.chunks(16) {
            let mut digits = [[0; 2]; 16];
            for (to, byte) in digits.iter_mut().zip(chunk) {
                *to = [digit(byte >> 4), digit(*byte)];
            }
            self.out.extend_from_slice(digits.get(..chunk.len()).unwrap_or_default().as_flattened());
        }
        self
    }

    /// Any text: `-` if empty; whatever could be taken for something else as `%` and two digits.
    pub(super) fn text(self, text: &str) -> Self {
        self.out.push(b' ');
        match text {
            "" => self.out.push(b'-'),
            "-" => self.out.extend_from_slice(b"%2d"),
            _ => {
                for byte in text.bytes() {
                    if byte.is_ascii_graphic() && byte != b'%' {
                        self.out.push(byte);
                    } else {
                        self.out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte)]);
                    }
                }
            }
        }
        self
    }

    /// Where the next word will begin.
    pub(super) fn mark(&self) -> usize {
        self.out.len() + 1
    }

    /// Fingerprint of what was written since `mark`.
    pub(super) fn fingerprint_since(&self, mark: usize) -> u32 {
        fingerprint(self.out.get(mark..).unwrap_or_default())
    }

    /// Ends the line with its checksum.
    pub(super) fn close(self) {
        let crc = crc32(self.out.get(self.start..).unwrap_or_default());
        self.hex(&crc.to_be_bytes()).out.push(b'\n');
    }
}

/// What stands between two line feeds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read<'a> {
    /// Words whose checksum holds, without it.
    Good(&'a str),
    /// Damaged.
    Bad,
    /// The file ends in the middle of this line: its writer was cut off.
    Torn,
}

/// Every line of a file that is not empty.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = Read<'_>> {
    bytes.split_inclusive(|byte| *byte == b'\n').filter_map(|line| {
        let (line, whole) = match line.split_last() {
            Some((b'\n', line)) => (line, true),
            _ => (line, false),
        };
        match body(line) {
            _ if line.is_empty() => None,
            Some(body) => Some(Read::Good(body)),
            None if whole => Some(Read::Bad),
            None => Some(Read::Torn),
        }
    })
}

fn body(line: &[u8]) -> Option<&str> {
    let (body, crc) = line.split_last_chunk::<9>().map(|(body, [blank, crc @ ..])| (body, (blank, crc)))?;
    let (b' ', crc) = crc else { return None };
    let crc = u32::from_str_radix(std::str::from_utf8(crc).ok()?, 16).ok()?;
    (crc == crc32(body)).then(|| std::str::from_utf8(body).ok()).flatten()
}

/// Bytes from their hexadecimal digits.
pub(super) fn unhex(word: &str) -> Option<Vec<u8>> {
    let nibble = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = word.as_bytes().chunks_exact(2);
    if !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| pair.iter().try_fold(0, |byte, digit| Some(byte << 4 | nibble(digit)?))).collect()
}

/// A text from the word that [`Line::text`] made of it.
pub(super) fn untext(word: &str) -> Option<String> {
    if word == "-" {
        return Some(String::new());
    }
    let mut parts = word.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        bytes.extend(unhex(code)?);
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(text: &str, number: u64, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Line::new(&mut out, "k").text(text).number(number).hex(bytes).close();
        out
    }

    #[test]
    fn the_checksum_is_the_one_everybody_knows() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_line_is_readable() {
        assert_eq!(line("living room", 1234, &[0, 0xfe]), b"\nk living%20room 1234 00fe 31a7758d\n");
        assert_eq!(unhex("00f"), None);
        assert_eq!(unhex("0g"), None);
        assert_eq!(untext("%2"), None);
        assert_eq!(untext("%ff"), None, "not UTF-8");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text in any::<String>(), number: u64, bytes: Vec<u8>) {
            let out = line(&text, number, &bytes);
            let all: Vec<_> = lines(&out).collect();
            let [Read::Good(body)] = all.as_slice() else { panic!("{all:?}") };
            let words: Vec<_> = body.split(' ').collect();
            prop_assert_eq!(words.len(), 4);
            prop_assert_eq!(untext(words[1]), Some(text));
            prop_assert_eq!(words[2].parse(), Ok(number));
            prop_assert_eq!(unhex(words[3]), Some(bytes));
        }

        #[test]
        fn a_damaged_byte_costs_its_own_line_only(at in 0_usize..120, to: u8) {
            let mut out: Vec<u8> = (0..4).flat_map(|i| line("lan", i, b"0123456789")).collect();
            let size = out.len() / 4;
            let at = at % out.len();
            prop_assume!(out[at] != to);
            out[at] = to;
            let good: Vec<_> = lines(&out).filter(|line| matches!(line, Read::Good(_))).collect();
            let original: Vec<u8> = (0..4).flat_map(|i| line("lan", i, b"0123456789")).collect();
            let expected: Vec<_> =
                lines(&original).enumerate().filter(|(i, _)| *i != at / size).map(|(_, line)| line).collect();
            // a first or last line feed of all may go unnoticed, and so may the case of a digit of the checksum
            prop_assert!(expected.iter().all(|line| good.contains(line)));
        }

        #[test]
        fn a_cut_line_is_torn_and_the_ones_before_it_are_good(cut in 0_usize..200) {
            let mut out: Vec<u8> = (0..4).flat_map(|i| line("lan", i, b"0123456789")).collect();
            let size = out.len() / 4;
            let cut = cut % out.len();
            out.truncate(cut);
            let all: Vec<_> = lines(&out).collect();
            prop_assert!(all.iter().all(|line| *line != Read::Bad));
            prop_assert!(all.iter().filter(|line| matches!(line, Read::Good(_))).count() >= cut / size);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            lines(&bytes).for_each(drop);
        }
    }
}
