//! A real browser, and a real caching proxy, for tests of the shop.

mod chromium;
mod nginx;
mod programs;

pub use chromium::Chromium;
pub use nginx::Nginx;
pub use programs::missing;
