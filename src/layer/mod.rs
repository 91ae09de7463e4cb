//! [`SessionLayer`]: what an application adds to its router.

mod future;
mod service;
mod session_layer;

pub use future::ResponseFuture;
pub use service::SessionService;
pub use session_layer::SessionLayer;
