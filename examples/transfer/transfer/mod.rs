//! A transfer in steps: to whom, how much, what for, a last look; then it is sent.

mod pages;
mod progress;
mod recipient;
mod seen;

pub(crate) use progress::{Order, Transfer};
pub(crate) use recipient::Recipient;
pub(crate) use seen::Seen;

use crate::Office;
use crate::device_name::DeviceName;
use crate::error::Failure;
use crate::money::Money;
use crate::refusal::Refusal;
use crate::visit::Opened;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use maud::Markup;
use serde::Deserialize;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use thin_session::{Cost, Quota, SessionError, SessionErrorKind, Sessions, SignedIn, UserSession};
use uuid::Uuid;

/// How many transfers a user may send.
pub(crate) const QUOTA: Quota = Quota::rolling(20, Duration::from_secs(30 * 86_400));

/// The address of each step is its page and takes its form, so that whoever has to sign in first comes back to it.
pub(crate) fn routes() -> Router<Arc<Office>> {
    let to_account = async || Redirect::to("/");
    Router::new()
        .route("/transfer", get(go_on))
        .route("/transfer/recipient", get(recipient).post(set_recipient))
        .route("/transfer/amount", get(amount).post(set_amount))
        .route("/transfer/note", get(note).post(set_note))
        .route("/transfer/confirm", get(confirm).post(send))
        .route("/transfer/abandon", get(to_account).post(abandon))
        .route("/transfer/sent", get(sent))
}

// Each handler below names `UserSession<Transfer>` first: the browser's session is loaded in the same round trip, and what is
// named after it shares that. Whoever is not signed in is sent to sign in (see `error`).

/// To the first step that is not done. Costs one load.
async fn go_on(transfer: UserSession<Transfer>) -> Redirect {
    Redirect::to(transfer.next_page())
}

/// Costs one load, and what a visit costs.
async fn recipient(transfer: UserSession<Transfer>, opened: Opened) -> Markup {
    opened.page("To whom?", pages::recipient(&transfer, None))
}

#[derive(Deserialize)]
pub(crate) struct RecipientForm {
    pub(crate) name: String,
    pub(crate) iban: String,
    pub(crate) seen: Seen,
}

/// Costs a load and a commit. If the other device writes meanwhile, the closure runs again on what that wrote.
pub(crate) async fn set_recipient(
    mut transfer: UserSession<Transfer>,
    device: DeviceName,
    cost: Cost,
    Form(form): Form<RecipientForm>,
) -> Result<Response, SessionError> {
    if !form.seen.is_of(&transfer) {
        return Ok(pages::gone(&cost));
    }
    let set = transfer.try_update(|transfer| {
        transfer.send_to(Recipient::typed(&form.name, &form.iban)?, device.as_str());
        Ok(())
    });
    let set = set.await?;
    Ok(answer(set, &transfer, |refusal| pages::recipient(&transfer, Some((&form, refusal))), &cost))
}

/// Costs one load, and what a visit costs.
async fn amount(
    transfer: UserSession<Transfer>,
    opened: Opened,
    State(office): State<Arc<Office>>,
    sessions: Sessions,
) -> Result<Markup, SessionError> {
    let balance = office.bank.account(&opened.user, &sessions).await?.balance();
    Ok(opened.page("How much?", pages::amount(&transfer, balance, None)))
}

#[derive(Deserialize)]
pub(crate) struct AmountForm {
    pub(crate) amount: String,
    pub(crate) seen: Seen,
}

/// Costs a load and a commit.
pub(crate) async fn set_amount(
    mut transfer: UserSession<Transfer>,
    who: SignedIn,
    State(office): State<Arc<Office>>,
    sessions: Sessions,
    device: DeviceName,
    cost: Cost,
    Form(form): Form<AmountForm>,
) -> Result<Response, SessionError> {
    if !form.seen.is_of(&transfer) {
        return Ok(pages::gone(&cost));
    }
    let balance = office.bank.account(who.user_id(), &sessions).await?.balance();
    let set = transfer.try_update(|transfer| {
        let amount = Money::typed(&form.amount).ok_or(Refusal::Form("An amount is written like 12.50."))?;
        transfer.set_amount(amount, balance, device.as_str())
    });
    let set = set.await?;
    Ok(answer(set, &transfer, |refusal| pages::amount(&transfer, balance, Some((&form, refusal))), &cost))
}

/// Costs one load, and what a visit costs.
async fn note(transfer: UserSession<Transfer>, opened: Opened) -> Markup {
    opened.page("What for?", pages::note(&transfer, None))
}

#[derive(Deserialize)]
pub(crate) struct NoteForm {
    pub(crate) note: String,
    pub(crate) seen: Seen,
}

/// Costs a load and a commit.
pub(crate) async fn set_note(
    mut transfer: UserSession<Transfer>,
    device: DeviceName,
    cost: Cost,
    Form(form): Form<NoteForm>,
) -> Result<Response, SessionError> {
    if !form.seen.is_of(&transfer) {
        return Ok(pages::gone(&cost));
    }
    let set = transfer.try_update(|transfer| transfer.set_note(&form.note, device.as_str())).await?;
    Ok(answer(set, &transfer, |refusal| pages::note(&transfer, Some((&form, refusal))), &cost))
}

/// On to the next step, or the form again and what is wrong with it.
fn answer(
    set: Result<(), Refusal>,
    transfer: &UserSession<Transfer>,
    form: impl FnOnce(&Refusal) -> Markup,
    cost: &Cost,
) -> Response {
    match set {
        Ok(()) => Redirect::to(transfer.next_page()).into_response(),
        Err(refusal) => pages::refused(StatusCode::UNPROCESSABLE_ENTITY, form(&refusal), cost),
    }
}

/// Costs one load, and what a visit costs.
async fn confirm(transfer: UserSession<Transfer>, opened: Opened) -> Response {
    match transfer.order() {
        Some(order) => opened.page("Is this right?", pages::confirm(&transfer, &order, None)).into_response(),
        None => Redirect::to(transfer.next_page()).into_response(),
    }
}

#[derive(Deserialize)]
pub(crate) struct SeenForm {
    pub(crate) seen: Seen,
}

/// Costs a load; and to send it three calls more, one of them of the archive, which knows how many were sent.
///
/// What is sent is what stood on the page: if it has changed since, the customer sees what it is now, and is asked again. Sent
/// is what the archive has as completed; then it is booked by its id. Whatever happens in between, a second click, a lost
/// connection or an outage: the bank finds it there, and books it once.
pub(crate) async fn send(
    mut transfer: UserSession<Transfer>,
    who: SignedIn,
    State(office): State<Arc<Office>>,
    sessions: Sessions,
    cost: Cost,
    Form(form): Form<SeenForm>,
) -> Result<Response, Failure> {
    let Some(id) = form.seen.id() else { return Ok(Redirect::to("/transfer").into_response()) };
    let account = office.bank.account(who.user_id(), &sessions).await?;
    if account.find(id).is_some() {
        return Ok(to_receipt(id)); // a second click
    }
    if !form.seen.is_of(&transfer) {
        return Ok(pages::gone(&cost));
    }
    let Some(order) = transfer.order() else { return Ok(Redirect::to("/transfer").into_response()) };
    if form.seen != Seen::of(&transfer) {
        return Ok(changed(&transfer, &cost));
    }
    // What is sent by the same user at this very moment, on another device, is not in the balance yet.
    if let Err(refusal) = progress::check(order.amount, account.balance()) {
        return Ok(pages::refused(StatusCode::CONFLICT, pages::confirm(&transfer, &order, Some(&refusal)), &cost));
    }
    office.bank.expect(who.user_id(), id);
    match transfer.complete_within(QUOTA).await {
        Ok(allowed) => {
            allowed?;
            office.bank.book(who.user_id(), id, SystemTime::now(), order);
            Ok(to_receipt(id))
        }
        // Another device has changed it since this request looked.
        Err(error) if *error.kind() == SessionErrorKind::Changed => {
            transfer.reload().await?;
            Ok(changed(&transfer, &cost))
        }
        // Perhaps by another click, and it is sent.
        Err(error) if error.is_ended() => {
            let account = office.bank.account(who.user_id(), &sessions).await?;
            Ok(if account.find(id).is_some() { to_receipt(id) } else { pages::gone(&cost) })
        }
        Err(error) => Err(error.into()),
    }
}

fn to_receipt(id: Uuid) -> Response {
    Redirect::to(&format!("/transfer/sent?id={id}")).into_response()
}

/// What it is now, and the question again.
fn changed(transfer: &UserSession<Transfer>, cost: &Cost) -> Response {
    let Some(order) = transfer.order() else { return Redirect::to(transfer.next_page()).into_response() };
    let refusal = Refusal::Changed { device: transfer.device().map(str::to_owned) };
    pages::refused(StatusCode::CONFLICT, pages::confirm(transfer, &order, Some(&refusal)), cost)
}

/// Costs a load, and the end of the transfer. Whatever it is by now: who gives up does not mind.
pub(crate) async fn abandon(
    mut transfer: UserSession<Transfer>,
    Form(form): Form<SeenForm>,
) -> Result<Redirect, SessionError> {
    // None, or another one by now: the one that was seen is over, as was wanted.
    if form.seen.id().is_some() && form.seen.is_of(&transfer) {
        transfer.abandon().await?;
    }
    Ok(Redirect::to("/"))
}

#[derive(Deserialize)]
struct Which {
    id: String,
}

/// Costs what a visit costs.
async fn sent(
    opened: Opened,
    State(office): State<Arc<Office>>,
    sessions: Sessions,
    Query(which): Query<Which>,
) -> Result<Response, SessionError> {
    let account = office.bank.account(&opened.user, &sessions).await?;
    let booking = Uuid::try_parse(&which.id).ok().and_then(|id| account.find(id));
    Ok(match booking {
        Some(booking) => opened.page("Sent", pages::receipt(booking, account.balance())).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}
