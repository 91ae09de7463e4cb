//! Values as bytes: MessagePack with field names, in the form for humans.
//!
//! Names, so that `#[serde(default)]` lets a type grow. The human form, because serde buffers flattened and tagged
//! values as if they were read from one: an address in such a value would not come back from the compact form.

use crate::record::Codec;
use rmp_serde::{Deserializer, Serializer, decode, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::type_name;
use thiserror::Error;

pub(crate) const MESSAGE_PACK: Codec = Codec(1);

/// How deep a value may be: twice as deep as what reads JSON goes, and no deeper than what an archive writes down. Deeper ones could
/// take more stack than a thread has.
const MAX_DEPTH: usize = 256;

/// Why a value is not to be had as bytes, or from them. Says nothing of the value, of which serde's own messages quote
/// parts: it is the visitor's.
#[derive(Debug, Error)]
#[error("{what} for {type_name}")]
pub(super) struct CodecError {
    what: &'static str,
    type_name: &'static str,
}

pub(super) fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::with_capacity(64);
    match value.serialize(&mut Serializer::new(&mut bytes).with_struct_map().with_human_readable()) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(CodecError { what: why_not_encoded(&error), type_name: type_name::<T>() }),
    }
}

pub(super) fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let mut deserializer = Deserializer::from_read_ref(bytes).with_human_readable();
    deserializer.set_max_depth(MAX_DEPTH);
    T::deserialize(&mut deserializer)
        .map_err(|error| CodecError { what: why_not_decoded(&error), type_name: type_name::<T>() })
}

fn why_not_encoded(error: &encode::Error) -> &'static str {
    match error {
        encode::Error::InvalidValueWrite(_) => "no room",
        encode::Error::UnknownLength => "a sequence of unknown length",
        encode::Error::InvalidDataModel(_) => "something that MessagePack does not have",
        encode::Error::DepthLimitExceeded => "too many levels",
        encode::Error::Syntax(_) => "an error of its Serialize",
    }
}

fn why_not_decoded(error: &decode::Error) -> &'static str {
    match error {
        decode::Error::InvalidMarkerRead(_) | decode::Error::InvalidDataRead(_) => "too few bytes",
        decode::Error::TypeMismatch(_) => "a value of another type",
        decode::Error::OutOfRange => "a number out of range",
        decode::Error::LengthMismatch(_) => "a sequence of another length",
        decode::Error::Uncategorized(_) | decode::Error::Syntax(_) => "a value that its Deserialize refuses",
        decode::Error::Utf8Error(_) => "text that is not UTF-8",
        decode::Error::DepthLimitExceeded => "too many levels",
    }
}
