//! Longer explanations that belong to no single item. Documentation only.

#[doc = include_str!("docs/guide/archive.md")]
pub mod archive {}

#[doc = include_str!("docs/guide/asvs.md")]
pub mod asvs {}

#[cfg_attr(feature = "axum", doc = include_str!("docs/guide/cross_site.md"))]
#[cfg_attr(not(feature = "axum"), doc = "For the feature `axum`.")]
pub mod cross_site {}

#[doc = include_str!("docs/guide/metrics.md")]
pub mod metrics {}

#[doc = include_str!("docs/guide/revocation.md")]
pub mod revocation {}

#[doc = include_str!("docs/guide/performance.md")]
pub mod performance {}

#[cfg_attr(feature = "axum", doc = include_str!("docs/guide/sign_in_page.md"))]
#[cfg_attr(not(feature = "axum"), doc = "For the feature `axum`.")]
pub mod sign_in_page {}

#[doc = include_str!("docs/guide/stores.md")]
pub mod stores {}

#[doc = include_str!("docs/guide/user_sessions.md")]
pub mod user_sessions {}
