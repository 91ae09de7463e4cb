//! Where random bytes come from.

use rand::TryRng as _;
use rand::rngs::SysRng;

/// Fills `bytes` from the operating system's generator.
///
/// For ids and keys: a cloned virtual machine repeats what a generator in the process would give.
///
/// # Panics
///
/// If the operating system has no randomness to give, as `HashMap` does.
pub(crate) fn fill_from_os(bytes: &mut [u8]) {
    SysRng.try_fill_bytes(bytes).expect("the operating system gives random bytes");
}

/// A nonce from the thread's generator, which is a cryptographic one and costs a twentieth of a system call.
pub(crate) fn nonce<const N: usize>() -> [u8; N] {
    rand::random()
}

/// Names one write of one record: what compare-and-set compares.
///
/// Random, so that no two writes share one, also not after a failover that lost some: a version number would come
/// back then and let a stale writer pass. It belongs to one sealing, since half of the nonce is made of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct WriteId([u8; WriteId::SIZE]);

impl WriteId {
    /// Bytes in a write id.
    pub const SIZE: usize = 12;

    pub(crate) fn random() -> Self {
        Self(nonce())
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    /// The bytes, as they stand in the header of a record.
    pub fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }
}
