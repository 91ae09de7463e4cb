//! The account: what is in it, the transfer that is under way, and what was sent.

use crate::Office;
use crate::bank::Account;
use crate::text::moment;
use crate::transfer::{Seen, Transfer};
use crate::visit::Opened;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, html};
use std::sync::Arc;
use thin_session::{SessionError, Sessions, UserSession};

pub(crate) fn routes() -> Router<Arc<Office>> {
    Router::new().route("/", get(show))
}

/// Costs a load of the transfer, with which the browser's session comes along, and what a visit costs. The first look at an
/// account in this process also reads the archive.
///
/// Not `Option<UserSession<Transfer>>`, as that is also none for whoever is not signed in.
async fn show(
    transfer: UserSession<Transfer>,
    opened: Opened,
    State(office): State<Arc<Office>>,
    sessions: Sessions,
) -> Result<Markup, SessionError> {
    let account = office.bank.account(&opened.user, &sessions).await?;
    let name = office.users.find(&opened.user).map_or("stranger", |user| user.name);
    let content = html! {
        section.balance {
            p { "Good morning, " (name) }
            h1 { (account.balance()) }
        }
        @if UserSession::id(&transfer).is_some() {
            (under_way(&transfer))
        } @else {
            p { "Begin a transfer here, and finish it on any device where you sign in." }
            div.actions.left { a.button href="/transfer" { "New transfer" } }
        }
        (sent(&account))
    };
    Ok(opened.page("Your account", content))
}

fn under_way(transfer: &UserSession<Transfer>) -> Markup {
    html! {
        section.card {
            h2 { "A transfer is under way" }
            p { (transfer.so_far()) }
            @if let Some(device) = transfer.device() { p.soft { "Last changed from " (device) } }
            div.actions {
                form method="post" action="/transfer/abandon" {
                    (Seen::of(transfer).field())
                    button.quiet { "Give it up" }
                }
                a.button href="/transfer" { "Go on" }
            }
        }
    }
}

fn sent(account: &Account) -> Markup {
    html! {
        h2 { "Sent" }
        @if account.bookings().next().is_none() { p.soft { "Nothing yet." } } @else {
            ul.lines {
                @for (id, booking) in account.bookings().take(20) {
                    li {
                        div.what {
                            a href={ "/transfer/sent?id=" (id) } { (booking.order.recipient.name()) }
                            span { (moment(booking.at)) }
                        }
                        strong.amount { "− " (booking.order.amount) }
                    }
                }
            }
        }
    }
}
