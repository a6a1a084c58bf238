use crate::ubus::message::{MAX_BODY, Message, Unframed, attr, kind};
use crate::ubus::value;
use proptest::prelude::*;
use serde_json::{Value, json};

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-1e300..1e300).prop_map(Value::from),
        "[^\0]{0,9}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[^\0]{0,9}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_a_table_or_malformed(bytes: Vec<u8>) {
        let _ = value::read(&bytes);
    }

    #[test]
    fn any_bytes_are_messages_or_unframed(mut bytes: Vec<u8>) {
        while let Ok(Some(message)) = Message::take(&mut bytes) {
            for id in 0..16 {
                let _ = (message.get_number(id), message.get_flag(id), message.get_text(id), message.get_table(id));
            }
        }
    }

    #[test]
    fn what_is_written_is_read(table in prop::collection::btree_map("[^\0]{0,9}", values(), 0..6), seq: u16, peer: u32) {
        let table = Value::Object(table.into_iter().collect());
        let message = Message::new(kind::DATA, seq, peer).number(attr::OBJID, peer).text(attr::METHOD, "ü").table(attr::DATA, &table);
        let mut bytes = Vec::new();
        prop_assert!(message.put(&mut bytes));
        prop_assert_eq!(bytes.len() % 4, 0);
        let read = Message::take(&mut bytes).unwrap().unwrap();
        prop_assert_eq!(read.get_number(attr::OBJID), Some(peer));
        prop_assert_eq!(read.get_text(attr::METHOD), Some("ü".to_owned()));
        prop_assert_eq!(read.get_table(attr::DATA), Some(table));
        prop_assert_eq!(read, message);
    }
}

#[test]
fn depth_is_bounded_both_ways() {
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = Value::Array(vec![deep]);
    }
    let mut bytes = Vec::new();
    value::write(&mut bytes, &json!({ "deep": deep }));
    assert!(bytes.len() < 40 * 8, "{}", bytes.len());
    let mut bytes = Vec::new();
    for left in (0..20_000_u32).rev() {
        bytes.extend((0x8200_0000 | (left * 8 + 8)).to_be_bytes());
        bytes.extend([0; 4]);
    }
    assert!(value::read(&bytes).is_err());
}

#[test]
fn lengths_that_ubusd_hangs_up_on_are_unframed() {
    for (len, framed) in
        [(0_u32, false), (3, false), (4, true), (1 << 20, true), ((1 << 20) + 1, false), (0xff_ffff, false)]
    {
        let mut bytes = vec![0; 8];
        bytes.extend(len.to_be_bytes());
        bytes.resize(8 + usize::try_from(len).unwrap().max(4), 0);
        assert_eq!(Message::take(&mut bytes).is_ok_and(|message| message.is_some()), framed, "{len}");
    }
    assert_eq!(Message::take(&mut vec![0; 12]), Err(Unframed));
    let large = Message { kind: kind::DATA, seq: 0, peer: 0, body: vec![0; MAX_BODY + 1] };
    assert!(!large.put(&mut Vec::new()));
}
