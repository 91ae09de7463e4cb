//! Which checks there are, and which sentence of the contract each is about. `tests/store_contract` holds that the contract says it.

use super::archived as archived_sessions;
use super::check::Check;
use super::lasting::{due, load as load_both, outbox, races, refusals as replace_refused, renew, replace};
use super::one::{commit, create, end, keys, touch};
use super::users::{admission as admit, departure as depart, end_all, members, news, refusals as admit_refused};
use super::{Bench, LastingBench};

/// Calls a macro with what it is called with, and with all checks of `Store`.
#[macro_export]
#[doc(hidden)]
macro_rules! __conformance_store_checks {
    ([$($with:tt)+] $arguments:tt) => {
        $($with)+! { $arguments
            keys {
                nothing_is_there_at_first: "What does not count as an error: a key that is absent, has expired, or holds a marker."
                extremes_of_time: "What has expired is absent, swept or not."
                keys_are_apart: "Store is five operations on one session each"
            }
            create {
                keeps_an_entry_for_its_time: "Value and expiry are set as one."
                changes_nothing_that_is_there: "if nothing is there: no session and no marker."
                replaces_what_has_expired: "What has expired is absent, swept or not."
            }
            commit {
                replaces_the_expected_entry: "Puts entry in the place of a live one whose write id is expected, with keep_for from now as its new time."
                changes_nothing_else: "Puts entry in the place of a live one whose write id is expected, with keep_for from now as its new time."
                never_creates: "Never creates: under an absent key or a marker nothing happens."
                is_refused_under_a_marker: "Never creates: under an absent key or a marker nothing happens."
                over_a_whole_entry_it_is_the_same: "The same, for whoever has the whole entry that it expects"
                over_an_entry_that_was_touched_it_says_what_it_found: "Where the entry has only been touched meanwhile, it may answer that it found that."
                of_two_hundred_on_one_base_one_is_applied: "Each operation is atomic, and happens at most once for each call"
            }
            touch {
                changes_the_time_alone: "Everything else in the entry stays, its write id too."
                happens_only_as_seen: "Notes activity at now in a live entry that was last touched at seen, and keeps it for keep_for from now."
                never_creates: "Notes activity at now in a live entry that was last touched at seen, and keeps it for keep_for from now."
                leaves_markers_alone: "Notes activity at now in a live entry that was last touched at seen, and keeps it for keep_for from now."
                of_sixty_four_one_writes: "Of many requests that find a touch due, one writes."
            }
            end {
                leaves_a_marker_for_two_minutes: "Puts Entry::ended in the place of a live entry, an anonymous session's, for Marker::KEPT."
                keeps_header_and_history: "Puts Entry::ended in the place of a live entry, an anonymous session's, for Marker::KEPT."
                compares_what_it_is_told_to: "With expected, only if that is its write id; without, whatever it is."
                of_what_is_gone_is_absent: "It was not, because nothing is there."
                leaves_markers_alone: "Puts Entry::ended in the place of a live entry, an anonymous session's, for Marker::KEPT."
            }
            admit {
                a_session_is_there_for_its_time_and_named: "Creates a session of a user and adds it to the index of the user's sessions, in one step."
                what_has_expired_is_not_in_the_way: "What has expired is absent, swept or not."
                an_epoch_that_is_behind_is_raised: "and if the user's epoch is earlier than the named one, it becomes that"
                one_that_is_ahead_stays: "The user's epoch in the store is later than Admission::epoch: Admitted::Outdated."
                a_predecessor_gives_way_in_the_same_step: "the predecessor and those to be evicted depart as by depart"
                a_predecessor_of_another_write_can_be_asked_for_again: "There is a predecessor, and it is not live or not of the expected write id: Admitted::Predecessor."
                a_predecessor_that_the_index_does_not_name_gives_way_too: "the predecessor and those to be evicted depart as by depart"
                those_to_be_evicted_end: "the predecessor and those to be evicted depart as by depart"
                what_does_not_live_only_leaves_the_index: "or only leave the index if they are not live"
                another_users_things_are_untouched: "Creates a session of a user and adds it to the index of the user's sessions, in one step."
            }
            admit_refused {
                what_is_under_the_key_comes_first: "Something stands under the new key: Admitted::Found."
                an_admission_that_is_sent_again_finds_itself: "Something stands under the new key: Admitted::Found."
                then_comes_the_epoch: "The user's epoch in the store is later than Admission::epoch: Admitted::Outdated."
                then_comes_the_predecessor: "There is a predecessor, and it is not live or not of the expected write id: Admitted::Predecessor."
                then_comes_the_limit: "The index names limit sessions or more, without those past their deadline, the predecessor and those to be evicted: Admitted::Full."
                those_who_leave_do_not_count: "The index names limit sessions or more, without those past their deadline, the predecessor and those to be evicted: Admitted::Full."
                the_index_may_name_some_that_have_gone: "The index may name some that have gone."
                those_past_their_deadline_do_not_count: "The index names limit sessions or more, without those past their deadline, the predecessor and those to be evicted: Admitted::Full."
                fifty_at_once_are_never_more_than_the_limit: "Each operation is atomic, and happens at most once for each call"
                of_thirty_two_successors_one_is_admitted: "Each operation is atomic, and happens at most once for each call"
            }
            depart {
                it_leaves_a_marker_for_two_minutes: "Ends a session of a user as end does; takes it out of the index; and tells the news to all processes."
                it_compares_what_it_is_told_to: "under a marker, or another write id than the expected one, nothing happens."
                under_a_marker_nothing_happens: "under a marker, or another write id than the expected one, nothing happens."
                under_an_absent_key_the_rest_is_seen_to: "Under an absent key the index and the news are seen to as well"
                of_forty_departures_one_is_applied: "Each operation is atomic, and happens at most once for each call"
            }
            members {
                the_one_whose_deadline_comes_first_is_in_front: "The user's sessions, the one whose deadline comes first in front, with what stands under their keys."
                they_come_with_what_is_under_their_keys_now: "The user's sessions, the one whose deadline comes first in front, with what stands under their keys."
                those_that_have_gone_are_neither_named_nor_counted: "Those that have gone, or left a marker, are taken out of the index and not named."
                one_that_was_touched_stays_named: "Those that have gone, or left a marker, are taken out of the index and not named."
            }
            end_all {
                all_end: "Ends all sessions of a user but one, as one step"
                all_but_one_end: "Ends all sessions of a user but one, as one step"
                nothing_happens_if_the_one_to_be_kept_is_not_there: "None if the session to be kept is not there: then nothing happens."
                only_those_that_lived_are_counted: "How many sessions were ended that lived."
                without_sessions_the_epoch_moves_all_the_same: "Moves the user's epoch to the next by the store's clock"
                the_epoch_moves_past_every_earlier_one: "Moves the user's epoch to the next by the store's clock"
                none_admitted_before_survives_and_none_after_is_touched: "none that is admitted before it survives, none after it is touched."
                of_sweeps_at_once_each_has_its_epoch: "Moves the user's epoch to the next by the store's clock"
            }
            news {
                all_who_follow_hear_everything: "first all that has not run out, then each piece of news as it comes"
                nothing_is_missed_at_the_beginning: "first all that has not run out, then each piece of news as it comes"
                each_kind_is_told: "Tells news to all processes of the layer of this name."
                what_has_run_out_takes_nothing_along: "first all that has not run out, then each piece of news as it comes"
                the_store_is_heard_again_and_again: "Calls heard at least once a second"
                layers_of_other_names_hear_nothing: "Tells news to all processes of the layer of this name."
                layers_of_other_names_have_users_of_their_own: "keys of different layers never collide."
            }
        }
    };
}

/// Calls a macro with what it is called with, and with all checks of `LastingStore` that are not of `Store`.
#[macro_export]
#[doc(hidden)]
macro_rules! __conformance_lasting_checks {
    ([$($with:tt)+] $arguments:tt) => {
        $($with)+! { $arguments
            load_both {
                each_is_what_a_load_of_its_own_finds: "Reads a browser's session and a user session as load does, in one round trip."
                what_has_expired_is_absent: "What has expired is absent, swept or not."
                they_may_be_in_different_shards: "Reads a browser's session and a user session as load does, in one round trip."
                several_come_in_their_order: "what is under each key, in their order."
                of_several_what_has_expired_is_absent: "What has expired is absent, swept or not."
            }
            replace_refused {
                another_entry_than_the_expected_is_found_first: "Another entry than the expected one is there, or one where none is expected: Replaced::Found."
                then_comes_that_none_is_there: "None is there, where one is expected: Replaced::Absent."
                then_comes_the_browsers_session: "The browser's session is not live: Replaced::Unasked."
                then_comes_whether_it_lives: "What is there is not as Standing says: Replaced::Untimely."
                with_time_it_idles_out: "it does until it has not been touched for its idle limit, or its deadline has come."
                no_idle_limit_and_the_longest: "it does until it has not been touched for its idle limit, or its deadline has come."
                what_has_expired_is_absent_and_asks_in_vain: "An entry whose time has run out is absent here as well."
                a_replacement_that_is_sent_again_finds_itself: "Another entry than the expected one is there, or one where none is expected: Replaced::Found."
            }
            replace {
                one_begins_where_nothing_is: "the entry is there for keep_for from now"
                it_comes_in_the_place_of_another_for_its_own_time: "the entry is there for keep_for from now"
                one_ends_and_the_next_begins_in_its_place: "when one has ended the next begins in its place."
                one_that_has_lapsed_gives_way_to_the_next: "what goes out is in the outbox of the shard"
                the_time_of_the_last_touch_is_the_stores: "with the store's time as that of its last touch, unless what it replaces was touched later"
                it_never_goes_back: "with the store's time as that of its last touch, unless what it replaces was touched later"
                a_standing_of_what_is_not_there_is_not_asked_for: "What is there is not as Standing says: Replaced::Untimely."
                of_other_kinds_users_and_layers_nothing_changes: "keys of different layers never collide."
            }
            races {
                of_two_hundred_on_one_base_one_is_applied: "Puts an entry in the place of another, in one step."
                of_two_hundred_that_begin_one_does: "Puts an entry in the place of another, in one step."
                of_forty_that_end_it_one_does_and_goes_out: "what goes out is in the outbox of the shard"
                once_the_browsers_session_has_ended_none_is_applied: "The browser's session is not live: Replaced::Unasked."
                once_it_has_departed_none_is_applied: "The browser's session is not live: Replaced::Unasked."
                once_all_have_ended_none_is_applied: "The browser's session is not live: Replaced::Unasked."
            }
            renew {
                it_changes_the_time_alone_to_the_stores: "Notes activity, by the store's clock, in a live entry that was last touched at seen and has not idled out"
                it_happens_only_as_seen: "Notes activity, by the store's clock, in a live entry that was last touched at seen and has not idled out"
                it_never_goes_back: "unless what it replaces was touched later"
                it_never_creates: "Notes activity, by the store's clock, in a live entry that was last touched at seen and has not idled out"
                it_leaves_markers_alone: "Notes activity, by the store's clock, in a live entry that was last touched at seen and has not idled out"
                what_has_idled_out_or_is_past_its_deadline_is_not_renewed: "it does until it has not been touched for its idle limit, or its deadline has come."
                of_sixty_four_one_writes: "Answers whether it did."
            }
            outbox {
                nothing_waits_at_first: "The shards in whose outboxes something waits, each once and in order, and how much"
                it_waits_until_it_is_taken_out: "Takes out of a shard's outbox what the archive has."
                the_same_is_there_once: "what goes out is in the outbox of the shard"
                layers_and_shards_have_one_each: "The shards in whose outboxes something waits, each once and in order, and how much"
                some_of_it_is_named_and_in_the_end_all: "all of it is named sooner or later if what was named is taken out."
                names_that_are_not_there_are_passed_over: "Names that are not there are passed over."
                what_is_taken_out_while_more_comes_in_is_all_of_it: "all of it is named sooner or later if what was named is taken out."
                any_bytes_will_do: "what goes out is in the outbox of the shard"
            }
            due {
                nothing_is_due_at_first: "At most limit of the entries at which it is time to look, by the store's clock: what is there."
                it_is_due_when_its_time_has_come_and_not_before: "At most limit of the entries at which it is time to look, by the store's clock: what is there."
                it_is_named_with_what_is_there: "At most limit of the entries at which it is time to look, by the store's clock: what is there."
                one_that_is_not_to_be_looked_at_is_not_due: "When it is time to look at the entry, if it is to be looked at, from now on."
                activity_leaves_the_time_as_it_is: "With a live one it does not change what was said before; with a marker, that is forgotten."
                one_that_takes_its_place_leaves_the_time_as_it_is: "With a live one it does not change what was said before; with a marker, that is forgotten."
                it_can_be_put_off: "Has an entry that is due be so again after this time from now."
                what_is_not_due_any_more_is_not_put_off: "Nothing happens if it is not due any more."
                a_marker_has_it_forgotten: "With a live one it does not change what was said before; with a marker, that is forgotten."
                what_was_ended_otherwise_is_not_named: "What has gone, or has left a marker, is not due any more, and not named."
                what_has_gone_is_not_named_and_stands_in_nobodys_way: "What has gone, or has left a marker, is not due any more, and not named."
                one_that_begins_where_another_has_gone_is_due: "With a live one it does not change what was said before; with a marker, that is forgotten."
                at_most_so_many_are_named_and_in_the_end_all: "At most limit of the entries at which it is time to look, by the store's clock: what is there."
                layers_and_shards_have_their_own: "keys of different layers never collide."
                a_refused_replacement_names_none: "The first of these that applies is the answer, and only the last changes anything"
                of_many_that_begin_and_end_while_others_look_none_is_missed: "Each operation is atomic, and happens at most once for each call"
            }
            archived_sessions {
                an_ending_sends_it_out_as_it_stood: "All that ends such a session, here and in Store, puts it into the outbox of its shard in the same step, by Outgoing::of."
                only_an_end_of_what_was_expected_does: "With expected, only if that is its write id; without, whatever it is."
                what_moves_goes_on_and_is_not_sent: "None if the session does not go to the archive, or goes on under another key."
                what_is_not_marked_never_goes_out: "None if the session does not go to the archive, or goes on under another key."
                a_departure_sends_it_out: "All that ends such a session, here and in Store, puts it into the outbox of its shard in the same step, by Outgoing::of."
                an_admission_sends_out_who_makes_room_but_not_its_predecessor: "All that ends such a session, here and in Store, puts it into the outbox of its shard in the same step, by Outgoing::of."
                the_end_of_all_sends_out_all_but_the_kept_one: "All that ends such a session, here and in Store, puts it into the outbox of its shard in the same step, by Outgoing::of."
                what_has_expired_is_sent_with_what_it_held_last: "Sees to it that browsers' sessions whose time has run out go out, as Outgoing::expired says"
                what_was_touched_lives_on_and_is_sent_later: "Sees to it that browsers' sessions whose time has run out go out, as Outgoing::expired says"
                what_has_ended_does_not_expire_as_well: "Sees to it that browsers' sessions whose time has run out go out, as Outgoing::expired says"
                endings_at_once_send_it_out_once: "Each operation is atomic, and happens at most once for each call"
            }
        }
    };
}

/// The list as checks of a bench.
macro_rules! as_checks {
    ([$bench:ident] $($group:ident { $($name:ident: $promise:literal)+ })+) => {
        vec![$($(Check::new(
            concat!(stringify!($group), "::", stringify!($name)),
            $promise,
            |bench: &$bench| Box::pin($group::$name(bench)),
        )),+),+]
    };
}

/// The checks of [`Store`](crate::store::Store).
pub fn store_checks<B: Bench>() -> Vec<Check<B>> {
    crate::__conformance_store_checks! { [as_checks] [B] }
}

/// The checks of [`LastingStore`](crate::store::LastingStore) besides.
pub fn lasting_checks<B: LastingBench>() -> Vec<Check<B>> {
    crate::__conformance_lasting_checks! { [as_checks] [B] }
}
