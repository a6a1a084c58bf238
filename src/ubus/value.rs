//! JSON values as ubus writes them ("blobmsg"): attributes with a name, whose id is the type.
//!
//! Numbers, booleans and null are written as the `ubus` command does. Types that JSON does not know apart (16, 32 and 64
//! bits; a byte and a boolean) are read as what JSON has.

use super::blob::{self, Attribute, Malformed};
use serde_json::{Map, Number, Value};

/// A type with the id that stands on the wire.
pub type Type = u8;
/// Nothing.
pub const NULL: Type = 0;
/// Elements with empty names.
pub const ARRAY: Type = 1;
/// Elements with names.
pub const TABLE: Type = 2;
/// Text with a final NUL.
pub const STRING: Type = 3;
/// 64-bit integer.
pub const INT64: Type = 4;
/// 32-bit integer.
pub const INT32: Type = 5;
/// 16-bit integer.
pub const INT16: Type = 6;
/// A byte that is 0 or 1.
pub const BOOL: Type = 7;
/// IEEE 754, 8 bytes.
pub const DOUBLE: Type = 8;

/// Tables within tables are read and written to this depth; netifd needs 6.
const MAX_DEPTH: u32 = 32;

/// One element of a table or an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its type.
    pub kind: Type,
    /// Its name without NUL; empty in arrays.
    pub name: &'a [u8],
    /// Its value.
    pub value: &'a [u8],
}

/// The elements of a table or an array.
pub fn fields(bytes: &[u8]) -> impl Iterator<Item = Result<Field<'_>, Malformed>> {
    blob::attributes(bytes).map(|attribute| {
        let Attribute { id, named, payload } = attribute?;
        if !named {
            return Ok(Field { kind: id, name: b"", value: payload });
        }
        let split = || {
            let (len, rest) = payload.split_first_chunk()?;
            let len = usize::from(u16::from_be_bytes(*len));
            let (name, 0) = (rest.get(..len)?, rest.get(len)?) else { return None };
            // the length, the name and its NUL are padded together
            Some(Field { kind: id, name, value: payload.get((len + 3).next_multiple_of(4)..)? })
        };
        split().ok_or(Malformed)
    })
}

/// Begins an element; what is written next is its value, until [`blob::close`] with the mark returned. A name is cut after
/// 65535 bytes.
pub fn open(out: &mut Vec<u8>, kind: Type, name: &[u8]) -> usize {
    let mark = blob::open(out, kind, true);
    let len = u16::try_from(name.len()).unwrap_or(u16::MAX);
    out.extend(len.to_be_bytes());
    out.extend(name.iter().take(usize::from(len)));
    out.push(0);
    blob::pad(out, mark);
    mark
}

/// Reads a table's elements as a JSON object. Errors: any part of it is malformed, or too deep.
pub fn read(bytes: &[u8]) -> Result<Value, Malformed> {
    table(bytes, MAX_DEPTH)
}

fn table(bytes: &[u8], depth: u32) -> Result<Value, Malformed> {
    let depth = depth.checked_sub(1).ok_or(Malformed)?;
    let entry = |field: Result<Field<'_>, Malformed>| {
        let field = field?;
        Ok((String::from_utf8_lossy(field.name).into_owned(), json(&field, depth)?))
    };
    fields(bytes).map(entry).collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

fn json(field: &Field<'_>, depth: u32) -> Result<Value, Malformed> {
    let exact = |bytes: &[u8], len: usize| (bytes.len() == len).then_some(()).ok_or(Malformed);
    Ok(match field.kind {
        TABLE => table(field.value, depth)?,
        ARRAY => {
            let depth = depth.checked_sub(1).ok_or(Malformed)?;
            Value::Array(fields(field.value).map(|field| json(&field?, depth)).collect::<Result<_, _>>()?)
        }
        STRING => text(field.value).ok_or(Malformed)?.into(),
        INT64 | INT32 | INT16 => {
            let len = match field.kind {
                INT64 => 8,
                INT32 => 4,
                _ => 2,
            };
            exact(field.value, len)?;
            let negative = field.value.first().is_some_and(|byte| byte & 0x80 != 0);
            let start = if negative { -1 } else { 0 };
            field.value.iter().fold(start, |number: i64, byte| number << 8 | i64::from(*byte)).into()
        }
        BOOL => {
            exact(field.value, 1)?;
            (field.value != [0]).into()
        }
        DOUBLE => {
            let bytes = field.value.try_into().map_err(|_| Malformed)?;
            Number::from_f64(f64::from_be_bytes(bytes)).map_or(Value::Null, Value::Number)
        }
        _ => Value::Null,
    })
}

/// Text up to its NUL, which has to be there.
pub fn text(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(bytes.get(..end)?).into_owned())
}

/// Writes a JSON object's elements; what is no object is written as an empty table.
pub fn write(out: &mut Vec<u8>, value: &Value) {
    for (name, value) in value.as_object().into_iter().flatten() {
        element(out, name.as_bytes(), value, MAX_DEPTH);
    }
}

fn element(out: &mut Vec<u8>, name: &[u8], value: &Value, depth: u32) {
    let (mark, depth) = (open(out, kind(value), name), depth.saturating_sub(1));
    match value {
        _ if depth == 0 => {}
        Value::Null => {}
        Value::Bool(on) => out.push(u8::from(*on)),
        Value::Number(number) => match number.as_i64() {
            Some(number) => match i32::try_from(number) {
                Ok(number) => out.extend(number.to_be_bytes()),
                Err(_) => out.extend(number.to_be_bytes()),
            },
            None => out.extend(number.as_f64().unwrap_or_default().to_be_bytes()),
        },
        Value::String(text) => {
            out.extend_from_slice(text.as_bytes());
            out.push(0);
        }
        Value::Array(values) => values.iter().for_each(|value| element(out, b"", value, depth)),
        Value::Object(values) => {
            values.iter().for_each(|(name, value)| element(out, name.as_bytes(), value, depth));
        }
    }
    blob::close(out, mark);
}

fn kind(value: &Value) -> Type {
    match value {
        Value::Null => NULL,
        Value::Bool(_) => BOOL,
        Value::Number(number) => match number.as_i64() {
            Some(number) if i32::try_from(number).is_ok() => INT32,
            Some(_) => INT64,
            None => DOUBLE,
        },
        Value::String(_) => STRING,
        Value::Array(_) => ARRAY,
        Value::Object(_) => TABLE,
    }
}
