//! A store around another writes what it changes, and names the rest.

/// Operations of a store or an archive, each by its name, that another carries out. `self => …` is which one; `self by …` is a macro
/// that calls it, and takes `self`, an identifier, and the call of what goes by that.
///
/// ```
/// use thin_session::testing::forward;
/// # use thin_session::MemoryStore;
/// # use thin_session::archive::{Answer, Archive, EndedSession, StoreError};
///
/// struct Full(MemoryStore);
///
/// impl Archive for Full {
///     async fn add(&self, _: &'static str, _: &[EndedSession]) -> Answer<()> {
///         Err(StoreError::not_applied("no room"))
///     }
///
///     forward!(self => self.0; complete, settle, history, counts, add_dead, dead, remove_dead, forget, erase);
/// }
/// ```
#[macro_export]
#[doc(hidden)]
macro_rules! __forward {
    ($self:ident => $to:expr; $($operation:ident),+ $(,)?) => {
        $($crate::__forward! { @$operation [$self => $to] })+
    };
    ($self:ident by $on:ident; $($operation:ident),+ $(,)?) => {
        $($crate::__forward! { @$operation [$self by $on] })+
    };

    ([$self:ident => $to:expr] $operation:ident($($argument:ident: $type:ty),+) $(-> $answer:ty)?) => {
        async fn $operation(&$self, $($argument: $type),+) $(-> $crate::store::Answer<$answer>)? {
            $to.$operation($($argument),+).await
        }
    };
    ([$self:ident by $on:ident] $operation:ident($($argument:ident: $type:ty),+) $(-> $answer:ty)?) => {
        async fn $operation(&$self, $($argument: $type),+) $(-> $crate::store::Answer<$answer>)? {
            $on!($self, to => to.$operation($($argument),+).await)
        }
    };

    // Of a store.
    (@load $how:tt) => {
        $crate::__forward! { $how load(key: &$crate::store::Key) -> Option<$crate::store::Entry> }
    };
    (@create $how:tt) => {
        $crate::__forward! { $how create(
            key: &$crate::store::Key, entry: &$crate::store::Entry, keep_for: std::time::Duration
        ) -> $crate::store::Outcome }
    };
    (@commit $how:tt) => {
        $crate::__forward! { $how commit(
            key: &$crate::store::Key, expected: $crate::store::WriteId, entry: &$crate::store::Entry,
            keep_for: std::time::Duration
        ) -> $crate::store::Outcome }
    };
    (@commit_over $how:tt) => {
        $crate::__forward! { $how commit_over(
            key: &$crate::store::Key, base: &$crate::store::Entry, entry: &$crate::store::Entry,
            keep_for: std::time::Duration
        ) -> $crate::store::Outcome }
    };
    (@touch $how:tt) => {
        $crate::__forward! { $how touch(
            key: &$crate::store::Key, seen: $crate::store::Timestamp, now: $crate::store::Timestamp,
            keep_for: std::time::Duration
        ) -> bool }
    };
    (@end $how:tt) => {
        $crate::__forward! { $how end(
            key: &$crate::store::Key, expected: Option<$crate::store::WriteId>, marker: &$crate::store::Marker
        ) -> $crate::store::Outcome }
    };
    (@admit $how:tt) => {
        $crate::__forward! { $how admit(
            owner: &$crate::store::Owner, admission: &$crate::store::Admission<'_>
        ) -> $crate::store::Admitted }
    };
    (@depart $how:tt) => {
        $crate::__forward! { $how depart(
            owner: &$crate::store::Owner, departure: &$crate::store::Departure
        ) -> $crate::store::Outcome }
    };
    (@members $how:tt) => {
        $crate::__forward! { $how members(
            owner: &$crate::store::Owner
        ) -> Vec<($crate::store::Member, $crate::store::Entry)> }
    };
    (@end_all $how:tt) => {
        $crate::__forward! { $how end_all(
            owner: &$crate::store::Owner, sweep: &$crate::store::Sweep
        ) -> Option<$crate::store::Swept> }
    };
    (@publish $how:tt) => {
        $crate::__forward! { $how publish(realm: &'static str, news: &$crate::store::Revocation) -> () }
    };
    (@follow $how:tt) => {
        $crate::__forward! { $how follow(realm: &'static str, known: &$crate::store::Revocations) }
    };

    // Of one that lasts.
    (@load_both $how:tt) => {
        $crate::__forward! { $how load_both(
            session: &$crate::store::Key, user_session: &$crate::store::Key
        ) -> [Option<$crate::store::Entry>; 2] }
    };
    (@load_several $how:tt) => {
        $crate::__forward! { $how load_several(keys: &[$crate::store::Key]) -> Vec<Option<$crate::store::Entry>> }
    };
    (@replace $how:tt) => {
        $crate::__forward! { $how replace(
            key: &$crate::store::Key, replacement: &$crate::store::Replacement<'_>
        ) -> $crate::store::Replaced }
    };
    (@renew $how:tt) => {
        $crate::__forward! { $how renew(
            key: &$crate::store::Key, seen: $crate::store::Timestamp, idle: std::time::Duration,
            keep_for: std::time::Duration
        ) -> bool }
    };
    (@outbox $how:tt) => {
        $crate::__forward! { $how outbox(realm: &'static str, shard: u8, limit: usize) -> Vec<$crate::store::Outgoing> }
    };
    (@full_outboxes $how:tt) => {
        $crate::__forward! { $how full_outboxes(realm: &'static str) -> Vec<(u8, usize)> }
    };
    (@due $how:tt) => {
        $crate::__forward! { $how due(
            realm: &'static str, limit: usize
        ) -> Vec<($crate::store::Key, $crate::store::Entry)> }
    };
    (@put_off $how:tt) => {
        $crate::__forward! { $how put_off(key: &$crate::store::Key, look_in: std::time::Duration) -> () }
    };
    (@retire $how:tt) => {
        $crate::__forward! { $how retire(realm: &'static str, limit: usize) -> bool }
    };
    (@sent $how:tt) => {
        $crate::__forward! { $how sent(realm: &'static str, shard: u8, ids: &[uuid::Uuid]) -> () }
    };

    // Of an archive.
    (@add $how:tt) => {
        $crate::__forward! { $how add(layer: &'static str, ended: &[$crate::archive::EndedSession]) -> () }
    };
    (@complete $how:tt) => {
        $crate::__forward! { $how complete(
            layer: &'static str, ended: &$crate::archive::EndedSession, attempt: &$crate::store::WriteId,
            quota: $crate::archive::Quota
        ) -> $crate::archive::Completion }
    };
    (@settle $how:tt) => {
        $crate::__forward! { $how settle(
            layer: &'static str, ended: &$crate::archive::EndedSession, attempt: Option<&$crate::store::WriteId>
        ) -> bool }
    };
    (@history $how:tt) => {
        $crate::__forward! { $how history(
            layer: &'static str, user: &$crate::UserId, page: &$crate::archive::HistoryPage<'_>
        ) -> Vec<$crate::archive::EndedSession> }
    };
    (@counts $how:tt) => {
        $crate::__forward! { $how counts(
            layer: &'static str, kind: Option<&str>, steps: $crate::archive::Steps
        ) -> Vec<$crate::archive::Count> }
    };
    (@add_dead $how:tt) => {
        $crate::__forward! { $how add_dead(layer: &'static str, letters: &[$crate::archive::DeadLetter]) -> () }
    };
    (@dead $how:tt) => {
        $crate::__forward! { $how dead(
            layer: &'static str, from: uuid::Uuid, limit: usize
        ) -> Vec<$crate::archive::DeadLetter> }
    };
    (@remove_dead $how:tt) => {
        $crate::__forward! { $how remove_dead(layer: &'static str, ids: &[uuid::Uuid]) -> () }
    };
    (@forget $how:tt) => {
        $crate::__forward! { $how forget(layer: &'static str, before: $crate::store::Timestamp, limit: usize) -> u64 }
    };
    (@erase $how:tt) => {
        $crate::__forward! { $how erase(layer: &'static str, user: &$crate::UserId, limit: usize) -> u64 }
    };
}
