//! What sessions leave.

use crate::store::Marker;
use crate::testing::{ended_marker, moved_marker};
use std::sync::LazyLock;

/// What a session leaves that was signed out.
pub fn ended() -> &'static Marker {
    static MARKER: LazyLock<Marker> = LazyLock::new(ended_marker);
    &MARKER
}

/// What a session leaves that goes on under another id: bytes that text would not hold.
pub fn moved() -> &'static Marker {
    static MARKER: LazyLock<Marker> =
        LazyLock::new(|| moved_marker(b"\0\r\n\xff'%\"\\ and some tens of bytes more \x80"));
    &MARKER
}

#[test]
fn they_are_what_they_are_taken_for() {
    assert_eq!(
        (moved().state(), ended().state()),
        (crate::testing::conformance::entries::MOVED, crate::testing::conformance::entries::ENDED)
    );
    assert!(moved().tail().len() > 30 && ended().tail().len() == 1);
}
