//! The pages of the steps.

use super::progress::{Order, Transfer};
use super::recipient::Recipient;
use super::seen::Seen;
use super::{AmountForm, NoteForm, RecipientForm};
use crate::bank::Booking;
use crate::money::Money;
use crate::pages::{Shown, notice, page};
use crate::refusal::Refusal;
use crate::text::moment;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use thin_session::{Cost, UserSession};

const STEPS: [&str; 4] = ["To whom", "How much", "What for", "Confirm"];

pub(super) fn recipient(transfer: &UserSession<Transfer>, refused: Option<(&RecipientForm, &Refusal)>) -> Markup {
    let known = transfer.recipient();
    let name = refused.map(|(form, _)| form.name.clone()).or(known.map(|known| known.name().to_owned()));
    let iban = refused.map(|(form, _)| form.iban.clone()).or(known.map(Recipient::iban));
    let content = html! {
        form.sheet method="post" action="/transfer/recipient" {
            label { "Name"
                input name="name" value=[name] maxlength=(Recipient::MAX_NAME) autocomplete="off" required;
            }
            label { "IBAN"
                input.number name="iban" value=[iban] maxlength=(Recipient::MAX_IBAN) autocomplete="off"
                    autocapitalize="characters" spellcheck="false" required;
            }
            (Seen::of(transfer).field())
            div.actions { a.quiet href="/" { "Later" } button { "Go on" } }
        }
        aside { p { "To try it: " code { "GB82 WEST 1234 5698 7654 32" } } }
    };
    step(0, "To whom?", content, refused.map(|(_, refusal)| refusal))
}

pub(super) fn amount(
    transfer: &UserSession<Transfer>,
    balance: Money,
    refused: Option<(&AmountForm, &Refusal)>,
) -> Markup {
    let value = refused.map(|(form, _)| form.amount.clone()).or(transfer.amount().map(Money::plain));
    let content = html! {
        (so_far(transfer))
        form.sheet method="post" action="/transfer/amount" {
            label { "Euros and cents"
                input.number name="amount" value=[value] inputmode="decimal" maxlength="12" autocomplete="off" required;
            }
            p.soft { "In your account: " (balance) }
            (Seen::of(transfer).field())
            div.actions { a.quiet href="/" { "Later" } button { "Go on" } }
        }
    };
    step(1, "How much?", content, refused.map(|(_, refusal)| refusal))
}

pub(super) fn note(transfer: &UserSession<Transfer>, refused: Option<(&NoteForm, &Refusal)>) -> Markup {
    let value = refused.map(|(form, _)| form.note.as_str()).or(transfer.note());
    let content = html! {
        (so_far(transfer))
        form.sheet method="post" action="/transfer/note" {
            label { "A note for them, if you like"
                input name="note" value=[value] maxlength=(Transfer::MAX_NOTE) autocomplete="off";
            }
            (Seen::of(transfer).field())
            div.actions { a.quiet href="/" { "Later" } button { "Go on" } }
        }
    };
    step(2, "What for?", content, refused.map(|(_, refusal)| refusal))
}

pub(super) fn confirm(transfer: &UserSession<Transfer>, order: &Order, refusal: Option<&Refusal>) -> Markup {
    let change = |to: &str, what: &str| {
        html! { a href={ "/transfer/" (to) } aria-label={ "Change " (what) } { "Change" } }
    };
    let content = html! {
        ul.lines {
            (line("To", html! { strong { (order.recipient.name()) } span { (order.recipient.iban()) } }, change("recipient", "to whom")))
            (line("Amount", html! { strong.amount { (order.amount) } }, change("amount", "how much")))
            (line("For", note_of(order), change("note", "what for")))
        }
        @if let Some(device) = transfer.device() { p.soft { "Last changed from " (device) } }
        form #send method="post" action="/transfer/confirm" { (Seen::of(transfer).field()) }
        form #leave method="post" action="/transfer/abandon" { (Seen::of(transfer).field()) }
        div.actions {
            button.quiet form="leave" { "Give it up" }
            a.quiet href="/" { "Later" }
            button form="send" { "Send " (order.amount) }
        }
    };
    step(3, "Is this right?", content, refusal)
}

pub(super) fn receipt(booking: &Booking, balance: Money) -> Markup {
    let Booking { at, order } = booking;
    html! {
        h1 { "Sent" }
        ul.lines {
            (line("To", html! { strong { (order.recipient.name()) } span { (order.recipient.iban()) } }, html! {}))
            (line("Amount", html! { strong.amount { (order.amount) } }, html! {}))
            (line("For", note_of(order), html! {}))
            (line("On", html! { (moment(*at)) }, html! {}))
        }
        p.soft { "In your account: " (balance) }
        div.actions { a.quiet href="/transfer" { "Another transfer" } a.button href="/" { "Your account" } }
    }
}

/// For a form that is about another transfer than there is now.
pub(super) fn gone(cost: &Cost) -> Response {
    let content = html! {
        h1 { "Not this one any more" }
        (notice(
            "That transfer was sent or given up meanwhile, on another device perhaps, or you were signed out. \
             Nothing was changed here."
        ))
        div.actions { a.button href="/" { "Your account" } }
    };
    refused(StatusCode::CONFLICT, content, cost)
}

pub(super) fn refused(status: StatusCode, content: Markup, cost: &Cost) -> Response {
    (status, page("Transfer", content, Shown::Answer(cost))).into_response()
}

fn note_of(order: &Order) -> Markup {
    html! { @if order.note.is_empty() { span { "No note" } } @else { (order.note) } }
}

fn line(name: &str, value: Markup, change: Markup) -> Markup {
    html! { li { span.name { (name) } div.what { (value) } (change) } }
}

fn so_far(transfer: &UserSession<Transfer>) -> Markup {
    html! { @if UserSession::id(transfer).is_some() { p.soft { (transfer.so_far()) } } }
}

fn step(now: usize, heading: &str, content: Markup, refusal: Option<&Refusal>) -> Markup {
    html! {
        ol.steps {
            @for (number, name) in STEPS.into_iter().enumerate() {
                li.done[number < now] aria-current=[(number == now).then_some("step")] { (name) }
            }
        }
        h1 { (heading) }
        @if let Some(refusal) = refusal { (notice(&refusal.to_string())) }
        (content)
    }
}
