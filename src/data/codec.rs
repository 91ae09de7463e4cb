//! Values as bytes: MessagePack with field names, in the form for humans.
//!
//! Names, so that `#[serde(default)]` lets a type grow. The human form, because serde buffers flattened and tagged
//! values as if they were read from one: an address in such a value would not come back from the compact form.

use crate::record::Codec;
use rmp_serde::{Deserializer, Serializer, decode, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) const MESSAGE_PACK: Codec = Codec(1);

pub(super) fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, encode::Error> {
    let mut bytes = Vec::with_capacity(64);
    value.serialize(&mut Serializer::new(&mut bytes).with_struct_map().with_human_readable())?;
    Ok(bytes)
}

pub(super) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, decode::Error> {
    T::deserialize(&mut Deserializer::from_read_ref(bytes).with_human_readable())
}
