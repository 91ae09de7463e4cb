//! A real browser, and a real caching proxy, for tests of the examples.

mod chromium;
mod nginx;
mod programs;
mod trial;
mod window;

pub use chromium::Chromium;
pub use nginx::Nginx;
pub use programs::missing;
pub use trial::trial;
pub use window::Window;
