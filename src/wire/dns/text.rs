use super::name::Labels;
use super::{Malformed, Mx, Name, ParsedName, Rdata, Soa, Srv, Type, check, soa_rdata, srv_rdata, txt_rdata};
use crate::wire::name::NameError;
use std::fmt::{self, Display, Formatter, Write};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Labels as text: dots between them, one at the end; what could be taken for something else escaped (RFC 1035 §5.1,
/// RFC 4343 §2.1). All of it is printable ASCII.
#[derive(Clone)]
pub struct NameText<'a>(pub Labels<'a>);

impl Display for NameText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut root = true;
        for label in self.0.clone() {
            root = false;
            for byte in label {
                escaped(*byte, br#"."\;@$()"#, f)?;
            }
            f.write_char('.')?;
        }
        if root { f.write_char('.') } else { Ok(()) }
    }
}

fn escaped(byte: u8, special: &[u8], f: &mut Formatter<'_>) -> fmt::Result {
    match byte {
        b'!'..=b'~' if special.contains(&byte) => write!(f, "\\{}", char::from(byte)),
        b'!'..=b'~' => f.write_char(char::from(byte)),
        _ => write!(f, "\\{byte:03}"),
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        NameText(self.labels()).fmt(f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        NameText(self.labels()).fmt(f)
    }
}

impl Display for ParsedName<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        NameText(self.labels()).fmt(f)
    }
}

impl fmt::Debug for ParsedName<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        NameText(self.labels()).fmt(f)
    }
}

impl FromStr for Name {
    type Err = NameError;

    /// Labels with dots between; one at the end makes no difference; `.` is the root. `\.` is a dot within a label,
    /// `\DDD` the byte of that decimal number (RFC 1035 §5.1).
    fn from_str(text: &str) -> Result<Name, NameError> {
        if text == "." {
            return Ok(Name::root());
        }
        let (mut labels, mut label): (Vec<Vec<u8>>, Vec<u8>) = (Vec::new(), Vec::new());
        let mut bytes = text.bytes();
        let mut ended = false;
        loop {
            let byte = bytes.next();
            match byte {
                None if ended && !labels.is_empty() => break,
                None | Some(b'.') => {
                    labels.push(std::mem::take(&mut label));
                    ended = true;
                    if byte.is_none() {
                        break;
                    }
                    continue;
                }
                Some(b'\\') => label.push(unescaped(&mut bytes).ok_or(NameError::Character)?),
                Some(byte) => label.push(byte),
            }
            ended = false;
            if label.len() + labels.len() > 2 * usize::from(u8::MAX) {
                return Err(NameError::LongName);
            }
        }
        if labels.iter().all(Vec::is_empty) && labels.len() == 1 {
            return Err(NameError::Empty);
        }
        Name::from_labels(labels.iter().map(Vec::as_slice))
    }
}

/// What stands behind a backslash.
fn unescaped(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let first = bytes.next()?;
    if !first.is_ascii_digit() {
        return Some(first);
    }
    let digits = [first, bytes.next()?, bytes.next()?];
    let number = digits
        .iter()
        .try_fold(0u16, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u16::from(digit - b'0')))?;
    u8::try_from(number).ok()
}

/// RDATA as text, as zone files have it (RFC 1035 §5.1); as RFC 3597 §5 has it for types without a text here, and for
/// what its type does not allow.
#[derive(Clone, Copy)]
pub struct RdataText<'a>(pub Rdata<'a>);

impl Display for RdataText<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rdata = self.0;
        let strings = || rdata.strings().map(|string| string.len() + 1).sum::<usize>() == rdata.bytes().len();
        match rdata.rtype() {
            Type::A => known(rdata.a(), rdata, f),
            Type::AAAA => known(rdata.aaaa(), rdata, f),
            Type::NS | Type::CNAME | Type::PTR | Type::DNAME => known(rdata.target(), rdata, f),
            Type::MX => known(rdata.mx(), rdata, f),
            Type::SRV => known(rdata.srv(), rdata, f),
            Type::SOA => known(rdata.soa(), rdata, f),
            Type::TXT if !rdata.is_empty() && strings() => {
                for (index, string) in rdata.strings().enumerate() {
                    f.write_str(if index == 0 { "\"" } else { " \"" })?;
                    for byte in string {
                        match byte {
                            b' ' => f.write_char(' ')?,
                            byte => escaped(*byte, br#""\"#, f)?,
                        }
                    }
                    f.write_char('"')?;
                }
                Ok(())
            }
            _ => generic(rdata.bytes(), f),
        }
    }
}

/// What RDATA says, if it is what its type has.
fn known(said: Option<impl Display>, rdata: Rdata<'_>, f: &mut Formatter<'_>) -> fmt::Result {
    match said {
        Some(said) => said.fmt(f),
        None => generic(rdata.bytes(), f),
    }
}

impl Display for Mx<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.preference, self.exchange)
    }
}

impl Display for Srv<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.priority, self.weight, self.port, self.target)
    }
}

impl Display for Soa<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {} ", self.mname, self.rname, self.serial, self.refresh)?;
        write!(f, "{} {} {}", self.retry, self.expire, self.minimum)
    }
}

fn generic(bytes: &[u8], f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "\\# {}", bytes.len())?;
    if !bytes.is_empty() {
        f.write_char(' ')?;
    }
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// RDATA from text as [`RdataText`] writes it; names without a dot at their end are below `origin`. `None` if it is not
/// what the type has, or if the type has no text here and it is not in the form of RFC 3597 §5.
pub fn parse_rdata(rtype: Type, text: &str, origin: &Name) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    if let Some(rest) = text.strip_prefix("\\#") {
        let rdata = parse_generic(rest)?;
        return check(rtype, &rdata).is_ok().then_some(rdata);
    }
    if rtype == Type::TXT {
        return parse_strings(text);
    }
    let mut words = text.split_ascii_whitespace();
    let mut word = || words.next();
    let rdata = match rtype {
        Type::A => word()?.parse::<Ipv4Addr>().ok()?.octets().to_vec(),
        Type::AAAA => word()?.parse::<Ipv6Addr>().ok()?.octets().to_vec(),
        Type::NS | Type::CNAME | Type::PTR | Type::DNAME => parse_name(word()?, origin)?.as_bytes().to_vec(),
        Type::MX => {
            let preference: u16 = word()?.parse().ok()?;
            [&preference.to_be_bytes(), parse_name(word()?, origin)?.as_bytes()].concat()
        }
        Type::SRV => {
            let mut number = || word()?.parse::<u16>().ok();
            let (priority, weight, port) = (number()?, number()?, number()?);
            srv_rdata(priority, weight, port, &parse_name(word()?, origin)?)
        }
        Type::SOA => {
            let (mname, rname) = (parse_name(word()?, origin)?, parse_name(word()?, origin)?);
            let mut number = || word()?.parse::<u32>().ok();
            soa_rdata(&mname, &rname, [number()?, number()?, number()?, number()?, number()?])
        }
        _ => return None,
    };
    words.next().is_none().then_some(rdata)
}

/// A name of a zone file: `@` is the origin, and without a dot at its end it is below that.
fn parse_name(text: &str, origin: &Name) -> Option<Name> {
    if text == "@" {
        return Some(origin.clone());
    }
    let name: Name = text.parse().ok()?;
    // a dot behind an even number of backslashes is one that ends
    let absolute = text
        .strip_suffix('.')
        .is_some_and(|head| head.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 0);
    if absolute { Some(name) } else { name.under(origin).ok() }
}

fn parse_generic(text: &str) -> Option<Vec<u8>> {
    let mut words = text.split_ascii_whitespace();
    let len: u16 = words.next()?.parse().ok()?;
    let digits: Vec<u8> = words.flat_map(str::bytes).collect();
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != usize::from(len) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    pairs.iter().map(|[high, low]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()).collect()
}

/// Strings in quotes or without.
fn parse_strings(text: &str) -> Option<Vec<u8>> {
    let (mut strings, mut bytes) = (Vec::new(), text.bytes().peekable());
    loop {
        while bytes.next_if(u8::is_ascii_whitespace).is_some() {}
        let Some(first) = bytes.peek() else { break };
        let quoted = *first == b'"';
        if quoted {
            bytes.next();
        }
        let mut string: Vec<u8> = Vec::new();
        loop {
            match bytes.next() {
                None if quoted => return None,
                None => break,
                Some(b'"') if quoted => break,
                Some(byte) if !quoted && byte.is_ascii_whitespace() => break,
                Some(b'"') => return None,
                Some(b'\\') => string.push(unescaped(&mut bytes)?),
                Some(byte) => string.push(byte),
            }
        }
        if string.len() > usize::from(u8::MAX) {
            return None;
        }
        strings.push(string);
    }
    let rdata = if strings.is_empty() { return None } else { txt_rdata(strings.iter().map(Vec::as_slice)) };
    check(Type::TXT, &rdata).is_ok().then_some(rdata)
}

impl From<NameError> for Malformed {
    fn from(_: NameError) -> Malformed {
        Malformed::Name
    }
}
