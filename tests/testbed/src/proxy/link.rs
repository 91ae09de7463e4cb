//! One connection through the proxy.

use std::future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::control::Control;
use super::frames::Frames;
use super::{Fault, Request};

/// What becomes of the reply to a request that went on to the server.
enum Fate {
    Delivered,
    /// The connection is cut when the client has so many bytes of it.
    Cut(usize),
    Held,
}

/// Carries requests and replies until the connection ends or a fault cuts it.
///
/// The fates of replies travel in a channel, in the order of the requests. The
/// side of the requests ends it when it has nothing more to send on; the side
/// of the replies then sees to those still due, and only after them cuts.
pub(super) async fn serve(mut client: TcpStream, upstream: SocketAddr, control: Arc<Control>, number: u64) {
    // A server that is down: dropping the client is all there is to say.
    let Ok(mut server) = TcpStream::connect(upstream).await else {
        return;
    };
    // Without it, the kernel may sit on one small message until the next.
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);

    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let (fates, due) = mpsc::unbounded_channel();
    let requests = async {
        // An error is an end like any other; either way `fates` is gone.
        let _ = carry_requests(Frames::of(from_client), to_server, fates, &control, number).await;
        future::pending::<()>().await;
    };
    tokio::select! {
        () = requests => {}
        _ = carry_replies(Frames::of(from_server), to_client, due, &control) => {}
    }
}

async fn carry_requests(
    mut client: Frames<ReadHalf<'_>>,
    mut server: WriteHalf<'_>,
    fates: UnboundedSender<Fate>,
    control: &Control,
    number: u64,
) -> io::Result<()> {
    while let Some(frame) = client.next().await? {
        let words = Request::words(&frame).map_err(io::Error::other)?;
        let fault = control.admit(number, words);
        let fate = match fault {
            Fault::LoseRequest => break,
            Fault::CutRequest(bytes) if bytes < frame.len() => {
                server.write_all(&frame[..bytes]).await?;
                break;
            }
            Fault::Hold => {
                control.hold().await;
                Fate::Delivered
            }
            Fault::Pass => Fate::Delivered,
            Fault::LoseReply | Fault::CutRequest(_) => Fate::Cut(0),
            Fault::CutReply(bytes) => Fate::Cut(bytes),
            Fault::HoldReply => Fate::Held,
        };
        let is_last = matches!(fate, Fate::Cut(_));
        // Before the request, lest the reply come first. Nobody there to
        // receive it means that the connection is being cut.
        let _ = fates.send(fate);
        server.write_all(&frame).await?;
        if is_last {
            break;
        }
    }
    Ok(())
}

async fn carry_replies(
    mut server: Frames<ReadHalf<'_>>,
    mut client: WriteHalf<'_>,
    mut fates: UnboundedReceiver<Fate>,
    control: &Control,
) -> io::Result<()> {
    let mut due = None;
    loop {
        tokio::select! {
            fate = fates.recv(), if due.is_none() => match fate {
                Some(fate) => due = Some(fate),
                None => return Ok(()),
            },
            frame = server.next() => {
                let Some(frame) = frame? else { return Ok(()) };
                let unasked = frame.starts_with(b">");
                let fate = if unasked { None } else { due.take().or_else(|| fates.try_recv().ok()) };
                match fate {
                    Some(Fate::Cut(bytes)) => return client.write_all(&frame[..bytes.min(frame.len())]).await,
                    Some(Fate::Held) => control.hold().await,
                    Some(Fate::Delivered) | None => {}
                }
                client.write_all(&frame).await?;
            }
        }
    }
}
