//! What can befall a request.

/// What the proxy does to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the request and its reply pass.
    Pass,
    /// The server gets the request and replies, but the connection is cut
    /// instead of passing that on: the command was executed, and the client
    /// cannot know.
    ///
    /// Replies to earlier requests pass first; later requests on the connection
    /// are gone, uncounted.
    LoseReply,
    /// The connection is cut instead of passing the request on: the command is
    /// never executed.
    ///
    /// Earlier replies and later requests fare as in [`LoseReply`](Self::LoseReply).
    LoseRequest,
    /// The request stays with the proxy, and with it what follows on the
    /// connection, until [`release`](super::Proxy::release). Then it passes,
    /// even if the client has gone away by then: a request that was long on its
    /// way.
    Hold,
    /// The server gets so many bytes of the request, then the connection is cut;
    /// with all of them the request is executed, and its reply lost.
    ///
    /// Earlier replies and later requests fare as in [`LoseReply`](Self::LoseReply).
    CutRequest(usize),
    /// The command is executed, and the client gets so many bytes of the reply,
    /// then the connection is cut.
    ///
    /// Earlier replies and later requests fare as in [`LoseReply`](Self::LoseReply).
    CutReply(usize),
    /// The request passes, and its reply stays with the proxy, and with it those
    /// that follow on the connection, until [`release`](super::Proxy::release).
    HoldReply,
}
