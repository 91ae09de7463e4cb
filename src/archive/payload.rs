//! What a session held, as JSON: for analysts, who need no Rust.

use crate::data::MESSAGE_PACK;
use crate::record::{Malformed, Slot};
use rmpv::Value;
use serde_json::{Map, Number, Value as Json};

/// The JSON that serde would have made of the value, as far as the stored form tells: keys that are numbers or truth values
/// become text. A map with other keys becomes a list of pairs.
///
/// # Errors
///
/// If the slot does not hold MessagePack, as a release to come may have it.
pub(super) fn to_json(slot: &Slot) -> Result<String, Malformed> {
    let mut bytes = slot.bytes.as_slice();
    let malformed = Malformed("value of a slot");
    match rmpv::decode::read_value(&mut bytes) {
        Ok(value) if bytes.is_empty() && slot.codec == MESSAGE_PACK => Ok(json(value).to_string()),
        Ok(_) | Err(_) => Err(malformed),
    }
}

/// The values by the names of their slots.
pub(super) fn all_to_json(slots: &[Slot]) -> Result<String, Malformed> {
    let named = |slot: &Slot| Ok(format!("{}:{}", Json::from(&*slot.name), to_json(slot)?));
    Ok(format!("{{{}}}", slots.iter().map(named).collect::<Result<Vec<_>, Malformed>>()?.join(",")))
}

fn json(value: Value) -> Json {
    match value {
        Value::Nil => Json::Null,
        Value::Boolean(boolean) => Json::Bool(boolean),
        Value::Integer(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number.into(),
            (None, Some(number)) => number.into(),
            (None, None) => Json::Null,
        },
        // JSON has no infinities: serde makes them null as well.
        Value::F32(number) => Number::from_f64(number.into()).map_or(Json::Null, Json::Number),
        Value::F64(number) => Number::from_f64(number).map_or(Json::Null, Json::Number),
        Value::String(text) => match text.into_str() {
            Some(text) => Json::String(text),
            None => Json::Null,
        },
        Value::Binary(bytes) | Value::Ext(_, bytes) => bytes.into(),
        Value::Array(items) => items.into_iter().map(json).collect(),
        Value::Map(pairs) => match pairs.iter().map(|(key, _)| key_of(key)).collect::<Option<Vec<_>>>() {
            Some(keys) => {
                let values = pairs.into_iter().map(|(_, value)| json(value));
                Json::Object(keys.into_iter().zip(values).collect::<Map<_, _>>())
            }
            None => pairs.into_iter().map(|(key, value)| Json::Array(vec![json(key), json(value)])).collect(),
        },
    }
}

fn key_of(key: &Value) -> Option<String> {
    match key {
        Value::String(text) => text.as_str().map(str::to_owned),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(boolean) => Some(boolean.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Codec;
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;
    use std::net::IpAddr;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Step {
        Begun,
        Sent { to: IpAddr, cents: u64 },
        Pair(i8, char),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Everything {
        steps: Vec<Step>,
        counts: BTreeMap<u32, i64>,
        flags: BTreeMap<bool, Option<String>>,
        ratio: f64,
        nothing: (),
        id: uuid_like::Id,
    }

    mod uuid_like {
        use serde::{Deserialize, Serialize};
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        pub(super) struct Id(pub(super) String);
    }

    fn slot(value: &impl Serialize) -> Slot {
        let mut bytes = Vec::new();
        let mut serializer = rmp_serde::Serializer::new(&mut bytes).with_struct_map().with_human_readable();
        value.serialize(&mut serializer).unwrap();
        Slot { name: "all".into(), version: 1, codec: Codec(1), drop_at_sign_in: false, bytes }
    }

    #[test]
    fn it_is_the_json_that_serde_makes() {
        let value = Everything {
            steps: vec![Step::Begun, Step::Sent { to: "::1".parse().unwrap(), cents: u64::MAX }, Step::Pair(-1, 'é')],
            counts: [(1, i64::MIN), (4_000_000_000, 0)].into(),
            flags: [(true, None), (false, Some("\"x\"".to_owned()))].into(),
            ratio: 0.1,
            nothing: (),
            id: uuid_like::Id("a".to_owned()),
        };
        let json = to_json(&slot(&value)).unwrap();
        let same: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(same, serde_json::to_value(&value).unwrap());
        assert_eq!(serde_json::from_str::<Everything>(&json).unwrap(), value);
    }

    #[test]
    fn values_stand_by_the_names_of_their_slots() {
        let quoted = Slot { name: "a \"b\"".into(), ..slot(&[1, 2]) };
        let json: serde_json::Value = serde_json::from_str(&all_to_json(&[slot(&true), quoted]).unwrap()).unwrap();
        assert_eq!(json, serde_json::json!({ "all": true, "a \"b\"": [1, 2] }));
        assert_eq!(all_to_json(&[]).unwrap(), "{}");
        assert!(all_to_json(&[slot(&1), Slot { codec: Codec(2), ..slot(&1) }]).is_err());
    }

    #[test]
    fn what_is_in_a_form_to_come_is_not_converted() {
        let slot = Slot { codec: Codec(2), ..slot(&1) };
        assert!(to_json(&slot).is_err());
    }

    #[test]
    fn what_json_has_no_form_for_has_one_all_the_same() {
        let pairs: BTreeMap<(u8, u8), u8> = [((1, 2), 3)].into();
        assert_eq!(to_json(&slot(&pairs)).unwrap(), "[[[1,2],3]]");
        assert_eq!(to_json(&slot(&f64::INFINITY)).unwrap(), "null");
        assert_eq!(to_json(&slot(&f32::NAN)).unwrap(), "null");
    }

    #[test]
    fn what_is_no_message_pack_is_refused() {
        for bytes in [&[][..], &[0x92, 1], &[1, 2], &[0xd9, 9, b'x']] {
            assert!(to_json(&Slot { bytes: bytes.to_vec(), ..slot(&()) }).is_err(), "{bytes:?}");
        }
    }
}
